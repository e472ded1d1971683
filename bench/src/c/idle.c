// libnng: resident memory of an idle pipe with its dialer, over N of them on one socket.
//   idle URL N
#include "common.h"
#include <nng/protocol/pipeline0/pull.h>

static void added(nng_pipe p, nng_pipe_ev ev, void *arg) {
  (void)p, (void)ev, (void)arg;
  atomic_fetch_add(&counted, 1);
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  unsigned long n = strtoul(argv[2], NULL, 10);
  nng_socket s;
  check(nng_pull0_open(&s), "pull");
  check(nng_pipe_notify(s, NNG_PIPE_EV_ADD_POST, added, NULL), "notify");
  check(nng_dial(s, argv[1], NULL, 0), "dial");
  double before = rss_kib();
  for (unsigned long i = 0; i < n; i++) check(nng_dial(s, argv[1], NULL, 0), "dial");
  while (atomic_load(&counted) < n + 1) usleep(10000);
  printf("{\"idle\":{\"rssKib\":%.3f}}\n", (rss_kib() - before) / n);
  fflush(stdout);
  serve_stdin();
}
