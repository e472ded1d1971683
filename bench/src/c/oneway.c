// libnng, one way, on the asynchronous API: SENDS sends in flight, RECVS receives, each begun again in its callback.
//   oneway push URL SIZE    oneway pull URL    oneway both URL SIZE
#include "common.h"
#include <nng/protocol/pipeline0/pull.h>
#include <nng/protocol/pipeline0/push.h>

static size_t size;
static int counts_sent;

struct op {
  nng_socket s;
  nng_aio *aio;
};

static void send_next(struct op *op) {
  nng_msg *m;
  check(nng_msg_alloc(&m, size), "alloc");
  nng_aio_set_msg(op->aio, m);
  nng_send_aio(op->s, op->aio);
}

static void sent(void *arg) {
  struct op *op = arg;
  check(nng_aio_result(op->aio), "send");
  if (counts_sent) atomic_fetch_add_explicit(&counted, 1, memory_order_relaxed);
  send_next(op);
}

static void received(void *arg) {
  struct op *op = arg;
  check(nng_aio_result(op->aio), "recv");
  nng_msg_free(nng_aio_get_msg(op->aio));
  atomic_fetch_add_explicit(&counted, 1, memory_order_relaxed);
  nng_recv_aio(op->s, op->aio);
}

static int number(const char *name, int otherwise) {
  const char *value = getenv(name);
  return value == NULL ? otherwise : atoi(value);
}

static void pull(const char *url) {
  nng_socket s;
  int n = number("RECVS", 1);
  check(nng_pull0_open(&s), "pull");
  listen_at(s, url);
  struct op *ops = calloc(n, sizeof *ops);
  for (int i = 0; i < n; i++) {
    ops[i].s = s;
    check(nng_aio_alloc(&ops[i].aio, received, &ops[i]), "aio");
    nng_recv_aio(s, ops[i].aio);
  }
}

static void push(const char *url) {
  nng_socket s;
  int n = number("SENDS", 32);
  check(nng_push0_open(&s), "push");
  if (getenv("SENDBUF") != NULL) check(nng_socket_set_int(s, NNG_OPT_SENDBUF, number("SENDBUF", 0)), "sendbuf");
  dial_to(s, url);
  struct op *ops = calloc(n, sizeof *ops);
  for (int i = 0; i < n; i++) {
    ops[i].s = s;
    check(nng_aio_alloc(&ops[i].aio, sent, &ops[i]), "aio");
    send_next(&ops[i]);
  }
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  if (argc > 3) size = atol(argv[3]);
  counts_sent = strcmp(argv[1], "push") == 0;
  if (strcmp(argv[1], "push") != 0) pull(argv[2]);
  if (strcmp(argv[1], "pull") != 0) push(argv[2]);
  serve_stdin();
}
