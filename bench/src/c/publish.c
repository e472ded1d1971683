// libnng, pub and sub; see publish.js. Subscribers receive on the asynchronous API, one receive each, begun again in its
// callback; a publisher's send never waits, so it is a call.
//   publish pub|sub URL ACKS SUBSCRIBERS
#include "common.h"
#include <nng/protocol/pipeline0/pull.h>
#include <nng/protocol/pipeline0/push.h>
#include <nng/protocol/pubsub0/pub.h>
#include <nng/protocol/pubsub0/sub.h>

static const size_t size = 64;
static const unsigned burst = 500, under_way = 4;
static const int queue = 8192;

static int subscribers;
static nng_socket acks;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned current;
static int complete;
static long lost;
static atomic_int joined;

static void left_or_came(nng_pipe pipe, nng_pipe_ev event, void *arg) {
  (void) pipe;
  (void) arg;
  atomic_fetch_add(&joined, event == NNG_PIPE_EV_ADD_POST ? 1 : -1);
}

static void ack(void) {
  nng_msg *m;
  check(nng_msg_alloc(&m, 0), "alloc");
  check(nng_sendmsg(acks, m, 0), "ack");
}

static void *publish(void *arg) {
  nng_socket s = *(nng_socket *) arg;
  nng_msg *m;
  while (atomic_load(&joined) < subscribers) usleep(1000);
  unsigned open = 0;
  for (unsigned n = 1;; n++) {
    for (unsigned i = 0; i < burst; i++) {
      check(nng_msg_alloc(&m, size), "alloc");
      memset(nng_msg_body(m), 0, size);
      if (i == burst - 1) {
        unsigned char *b = nng_msg_body(m);
        b[0] = n >> 24, b[1] = n >> 16, b[2] = n >> 8, b[3] = n;
      }
      check(nng_sendmsg(s, m, 0), "publish");
    }
    atomic_fetch_add(&counted, (unsigned long) burst * subscribers);
    if (++open < under_way) continue;
    // one that was lost in part is not told of
    int rv = nng_recvmsg(acks, &m, 0);
    if (rv == 0) nng_msg_free(m);
    else if (rv != NNG_ETIMEDOUT) check(rv, "acks");
    open--;
  }
  return NULL;
}

struct sub {
  nng_socket socket;
  nng_aio *aio;
};

static void heard(void *arg) {
  struct sub *sub = arg;
  check(nng_aio_result(sub->aio), "recv");
  nng_msg *m = nng_aio_get_msg(sub->aio);
  unsigned char *b = nng_msg_body(m);
  unsigned n = (unsigned) b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
  nng_msg_free(m);
  atomic_fetch_add_explicit(&counted, 1, memory_order_relaxed);
  if (n != 0) {
    pthread_mutex_lock(&lock);
    if (n > current) {
      current = n;
      complete = 0;
    }
    int whole = n == current && ++complete == subscribers;
    // all have had all of it and of those before
    long missing = (long) current * burst * subscribers - (long) atomic_load(&counted);
    if (whole && missing > lost) fprintf(stderr, "lost %ld deliveries\n", lost = missing);
    pthread_mutex_unlock(&lock);
    if (whole) ack();
  }
  nng_recv_aio(sub->socket, sub->aio);
}

int main(int argc, char **argv) {
  if (argc < 5) return 2;
  const char *url = argv[2];
  subscribers = atoi(argv[4]);
  if (strcmp(argv[1], "pub") == 0) {
    static nng_socket pub;
    pthread_t thread;
    check(nng_pull0_open(&acks), "pull");
    check(nng_socket_set_ms(acks, NNG_OPT_RECVTIMEO, 2000), "time-out");
    check(nng_listen(acks, argv[3], NULL, 0), "listen");
    check(nng_pub0_open(&pub), "pub");
    check(nng_socket_set_int(pub, NNG_OPT_SENDBUF, queue), "queue");
    check(nng_pipe_notify(pub, NNG_PIPE_EV_ADD_POST, left_or_came, NULL), "notify");
    check(nng_pipe_notify(pub, NNG_PIPE_EV_REM_POST, left_or_came, NULL), "notify");
    listen_at(pub, url);
    pthread_create(&thread, NULL, publish, &pub);
    serve_stdin();
  }
  check(nng_push0_open(&acks), "push");
  check(nng_socket_set_int(acks, NNG_OPT_SENDBUF, 100), "queue");
  check(nng_dial(acks, argv[3], NULL, 0), "dial");
  struct sub *subs = calloc(subscribers, sizeof *subs);
  for (int i = 0; i < subscribers; i++) {
    check(nng_sub0_open(&subs[i].socket), "sub");
    check(nng_socket_set_int(subs[i].socket, NNG_OPT_RECVBUF, queue), "queue");
    check(nng_socket_set(subs[i].socket, NNG_OPT_SUB_SUBSCRIBE, "", 0), "subscribe");
    check(nng_aio_alloc(&subs[i].aio, heard, &subs[i]), "aio");
    nng_recv_aio(subs[i].socket, subs[i].aio);
  }
  for (int i = 0; i < subscribers; i++) check(nng_dial(subs[i].socket, url, NULL, 0), "dial");
  serve_stdin();
}
