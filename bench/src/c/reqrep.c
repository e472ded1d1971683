// libnng, req and rep on the asynchronous API, a context for each request in flight.
//   reqrep server URL N    reqrep client URL N    reqrep both URL
#include "common.h"
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>

static const size_t size = 64;
static int measures;
static int counts_replies;

struct op {
  nng_ctx ctx;
  nng_aio *aio;
  enum { RECEIVING, SENDING } state;
  double started;
};

static void receive(struct op *op) {
  op->state = RECEIVING;
  nng_ctx_recv(op->ctx, op->aio);
}

static void served(void *arg) {
  struct op *op = arg;
  check(nng_aio_result(op->aio), "server");
  if (op->state == SENDING) {
    if (counts_replies) atomic_fetch_add_explicit(&counted, 1, memory_order_relaxed);
    return receive(op);
  }
  // the message that came is the answer
  op->state = SENDING;
  nng_ctx_send(op->ctx, op->aio);
}

static void ask(struct op *op) {
  nng_msg *m;
  check(nng_msg_alloc(&m, size), "alloc");
  if (measures) op->started = now_us();
  nng_aio_set_msg(op->aio, m);
  op->state = SENDING;
  nng_ctx_send(op->ctx, op->aio);
}

static void asked(void *arg) {
  struct op *op = arg;
  check(nng_aio_result(op->aio), "client");
  if (op->state == SENDING) return receive(op);
  nng_msg_free(nng_aio_get_msg(op->aio));
  if (measures) add_trip(now_us() - op->started);
  atomic_fetch_add_explicit(&counted, 1, memory_order_relaxed);
  ask(op);
}

static void start(nng_socket s, int n, void (*callback)(void *), void (*begin)(struct op *)) {
  struct op *ops = calloc(n, sizeof *ops);
  for (int i = 0; i < n; i++) {
    check(nng_ctx_open(&ops[i].ctx, s), "ctx");
    check(nng_aio_alloc(&ops[i].aio, callback, &ops[i]), "aio");
    begin(&ops[i]);
  }
}

static int server(const char *url, int n) {
  nng_socket s;
  check(nng_rep0_open(&s), "rep");
  start(s, n, served, receive);
  return listen_at(s, url);
}

static void client(const char *url, int n) {
  nng_socket s;
  check(nng_req0_open(&s), "req");
  check(nng_dial(s, url, NULL, 0), "dial");
  start(s, n, asked, ask);
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  int n = argc > 3 ? atoi(argv[3]) : 1;
  const char *role = argv[1], *url = argv[2];
  measures = n == 1;
  counts_replies = strcmp(role, "server") == 0;
  char bound[64];
  if (strcmp(role, "client") != 0) {
    int port = server(url, n);
    if (port > 0) {
      snprintf(bound, sizeof bound, "tcp://127.0.0.1:%d", port);
      url = bound;
    }
  }
  if (strcmp(role, "server") != 0) client(url, n);
  serve_stdin();
}
