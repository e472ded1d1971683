// What the programs have in common: they are driven by lines on stdin, as ends/child.js is. "mark" and "peek" are answered
// with what this process has counted and used so far; the end of stdin ends it.
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <nng/nng.h>
#include <nng/supplemental/tls/tls.h>

static atomic_ulong counted;

static inline void check(int rv, const char *what) {
  if (rv == 0) return;
  fprintf(stderr, "%s: %s\n", what, nng_strerror(rv));
  _exit(1);
}

static inline double now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static inline double rss_kib(void) {
  long size = 0, resident = 0;
  FILE *f = fopen("/proc/self/statm", "r");
  if (f == NULL || fscanf(f, "%ld %ld", &size, &resident) != 2) resident = 0;
  if (f != NULL) fclose(f);
  return resident * (sysconf(_SC_PAGESIZE) / 1024.0);
}

// Round trips since the last mark, in microseconds.
#define MOST_TRIPS (1 << 20)
static double trips[MOST_TRIPS];
static size_t trip_count;
static pthread_mutex_t trip_lock = PTHREAD_MUTEX_INITIALIZER;

static inline void add_trip(double us) {
  pthread_mutex_lock(&trip_lock);
  if (trip_count < MOST_TRIPS) trips[trip_count++] = us;
  pthread_mutex_unlock(&trip_lock);
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static inline void answer(int is_mark) {
  struct rusage u;
  double p50 = 0, sum = 0;
  getrusage(RUSAGE_SELF, &u);
  double at = now_us() / 1e3;
  unsigned long n = atomic_load(&counted);
  double cpu = (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 + u.ru_utime.tv_usec + u.ru_stime.tv_usec;
  printf("{\"%s\":{\"at\":%.3f,\"n\":%lu,\"cpu\":%.0f,\"rssMb\":%.2f", is_mark ? "mark" : "peek", at, n, cpu,
         rss_kib() / 1024);
  pthread_mutex_lock(&trip_lock);
  if (is_mark && trip_count > 0) {
    qsort(trips, trip_count, sizeof(double), by_value);
    p50 = trips[trip_count / 2];
    for (size_t i = 0; i < trip_count; i++) sum += trips[i];
    printf(",\"p50\":%.3f,\"mean\":%.3f", p50, sum / trip_count);
    trip_count = 0;
  }
  pthread_mutex_unlock(&trip_lock);
  printf("}}\n");
  fflush(stdout);
}

static inline void serve_stdin(void) {
  char line[64];
  while (fgets(line, sizeof line, stdin) != NULL) answer(line[0] == 'm');
  _exit(0);
}

// Listens, and says where; returns the port, if there is one.
static inline int listen_at(nng_socket s, const char *url) {
  nng_listener l;
  int port = 0;
  check(nng_listener_create(&l, s, url), "listener");
  if (getenv("TLS_CERT_KEY") != NULL)
    check(nng_listener_set_string(l, NNG_OPT_TLS_CERT_KEY_FILE, getenv("TLS_CERT_KEY")), "cert");
  check(nng_listener_start(l, 0), "listen");
  if (strncmp(url, "inproc", 6) == 0) return 0;
  if (strncmp(url, "tcp", 3) == 0 || strncmp(url, "tls+tcp", 7) == 0 || strncmp(url, "ws", 2) == 0)
    check(nng_listener_get_int(l, NNG_OPT_TCP_BOUND_PORT, &port), "port");
  printf("{\"port\":%d}\n", port);
  fflush(stdout);
  return port;
}

// Dials; it verifies by the environment's certificate, for the name, as this libnng knows no addresses.
static inline void dial_to(nng_socket s, const char *url) {
  nng_dialer d;
  check(nng_dialer_create(&d, s, url), "dialer");
  if (getenv("TLS_CA") != NULL) {
    check(nng_dialer_set_string(d, NNG_OPT_TLS_CA_FILE, getenv("TLS_CA")), "ca");
    check(nng_dialer_set_string(d, NNG_OPT_TLS_SERVER_NAME, "localhost"), "server name");
  }
  check(nng_dialer_start(d, 0), "dial");
}
