// A peer of ours that speaks through libnng: peer MODE dial|listen URL [ARGUMENT...]. What it prints is what tests wait
// for; it lives until it is killed.
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <nng/nng.h>
#include <nng/protocol/bus0/bus.h>
#include <nng/protocol/pair1/pair.h>
#include <nng/protocol/pipeline0/pull.h>
#include <nng/protocol/pipeline0/push.h>
#include <nng/protocol/pubsub0/pub.h>
#include <nng/protocol/pubsub0/sub.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <nng/protocol/survey0/respond.h>
#include <nng/protocol/survey0/survey.h>
#include <nng/supplemental/util/platform.h>
#include <nng/supplemental/tls/tls.h>

static void must(const char *what, int error) {
  if (error == 0) return;
  fprintf(stderr, "%s: %s\n", what, nng_strerror(error));
  exit(1);
}

static int number(const char *text) { return (int) strtol(text, NULL, 10); }

// The environment names files: TLS_CA whom to trust, TLS_CERT_KEY what to show. Both ends then require a certificate.
static void dial_tls(nng_socket socket, const char *url) {
  nng_dialer dialer;
  must("dialer", nng_dialer_create(&dialer, socket, url));
  must("ca", nng_dialer_set_string(dialer, NNG_OPT_TLS_CA_FILE, getenv("TLS_CA")));
  must("cert", nng_dialer_set_string(dialer, NNG_OPT_TLS_CERT_KEY_FILE, getenv("TLS_CERT_KEY")));
  must("dial", nng_dialer_start(dialer, NNG_FLAG_NONBLOCK));
}

static void listen_tls(nng_socket socket, const char *url) {
  nng_listener listener;
  must("listener", nng_listener_create(&listener, socket, url));
  must("ca", nng_listener_set_string(listener, NNG_OPT_TLS_CA_FILE, getenv("TLS_CA")));
  must("cert", nng_listener_set_string(listener, NNG_OPT_TLS_CERT_KEY_FILE, getenv("TLS_CERT_KEY")));
  must("auth", nng_listener_set_int(listener, NNG_OPT_TLS_AUTH_MODE, NNG_TLS_AUTH_MODE_REQUIRED));
  must("listen", nng_listener_start(listener, 0));
}

static void connect_(nng_socket socket, const char *role, const char *url) {
  must("reconnect time", nng_socket_set_ms(socket, NNG_OPT_RECONNMINT, 20));
  must("reconnect time", nng_socket_set_ms(socket, NNG_OPT_RECONNMAXT, 20));
  if (getenv("TLS_CA") != NULL) strcmp(role, "dial") == 0 ? dial_tls(socket, url) : listen_tls(socket, url);
  else if (strcmp(role, "dial") == 0) must("dial", nng_dial(socket, url, NULL, NNG_FLAG_NONBLOCK));
  else must("listen", nng_listen(socket, url, NULL, 0));
}

static int arrivals[2];

static void arrived(nng_pipe pipe_, nng_pipe_ev event, void *arg) {
  (void) pipe_, (void) event, (void) arg;
  if (write(arrivals[1], "", 1) != 1) exit(1);
}

// Whom nobody hears is to ask later.
static void await_peer(void) {
  char byte;
  if (read(arrivals[0], &byte, 1) != 1) exit(1);
}

static void rest(void) {
  for (;;) pause();
}

// Its length, and how it begins.
static void print_body(nng_msg *msg) {
  const char *body = nng_msg_body(msg);
  size_t length = nng_msg_len(msg);
  printf("%zu ", length);
  for (size_t i = 0; i < length && i < 32 && !isspace((unsigned char) body[i]); i++) putchar(body[i]);
  printf("\n");
}

static void print_header(nng_msg *msg) {
  const unsigned char *header = nng_msg_header(msg);
  for (size_t i = 0; i < nng_msg_header_len(msg); i++) printf("%02x", header[i]);
  printf(" ");
  print_body(msg);
}

static nng_msg *make(size_t length, const char *text) {
  nng_msg *msg;
  must("alloc", nng_msg_alloc(&msg, length));
  memset(nng_msg_body(msg), ' ', length);
  memcpy(nng_msg_body(msg), text, strlen(text) < length ? strlen(text) : length);
  return msg;
}

static nng_msg *recv_msg(nng_socket socket) {
  nng_msg *msg;
  must("recv", nng_recvmsg(socket, &msg, 0));
  return msg;
}

static void ctx_send(nng_ctx ctx, nng_aio *aio, nng_msg *msg) {
  nng_aio_set_msg(aio, msg);
  nng_ctx_send(ctx, aio);
  nng_aio_wait(aio);
  must("ctx send", nng_aio_result(aio));
}

// rep, respondent WIDTH: takes as many requests as it has contexts, and then sends them back, the last first.
static void rep(nng_socket socket, int width) {
  nng_ctx *ctx = calloc(width, sizeof(*ctx));
  nng_aio **aio = calloc(width, sizeof(*aio));
  nng_msg **msg = calloc(width, sizeof(*msg));
  for (int i = 0; i < width; i++) {
    must("ctx", nng_ctx_open(&ctx[i], socket));
    must("aio", nng_aio_alloc(&aio[i], NULL, NULL));
  }
  for (;;) {
    for (int i = 0; i < width; i++) {
      nng_ctx_recv(ctx[i], aio[i]);
      nng_aio_wait(aio[i]);
      must("ctx recv", nng_aio_result(aio[i]));
      msg[i] = nng_aio_get_msg(aio[i]);
      print_body(msg[i]);
    }
    for (int i = width - 1; i >= 0; i--) ctx_send(ctx[i], aio[i], msg[i]);
  }
}

// req, surveyor WIDTH COUNT SIZE: that many contexts ask at once, and each as often, with bodies of that size at least; the
// answer must be the question.
static void req(nng_socket socket, int width, int count, int size) {
  nng_ctx *ctx = calloc(width, sizeof(*ctx));
  nng_aio **aio = calloc(width, sizeof(*aio));
  char text[64];
  for (int i = 0; i < width; i++) {
    must("ctx", nng_ctx_open(&ctx[i], socket));
    must("aio", nng_aio_alloc(&aio[i], NULL, NULL));
  }
  for (int n = 0; n < count; n++) {
    for (int i = 0; i < width; i++) {
      snprintf(text, sizeof(text), size == 0 ? "" : "%d.%d", i, n);
      ctx_send(ctx[i], aio[i], make(size < (int) strlen(text) ? strlen(text) : (size_t) size, text));
    }
    for (int i = 0; i < width; i++) nng_ctx_recv(ctx[i], aio[i]);
    for (int i = 0; i < width; i++) {
      nng_aio_wait(aio[i]);
      must("ctx recv", nng_aio_result(aio[i]));
      nng_msg *answer = nng_aio_get_msg(aio[i]);
      snprintf(text, sizeof(text), size == 0 ? "" : "%d.%d", i, n);
      size_t length = size < (int) strlen(text) ? strlen(text) : (size_t) size;
      if (nng_msg_len(answer) != length || memcmp(nng_msg_body(answer), text, strlen(text)) != 0) {
        printf("wrong answer to %s: ", text);
        print_body(answer);
      }
      nng_msg_free(answer);
    }
  }
  printf("done\n");
  rest();
}

// push COUNT SIZE
static void push(nng_socket socket, int count, int size) {
  char text[64];
  for (int n = 0; n < count; n++) {
    snprintf(text, sizeof(text), size == 0 ? "" : "%d", n);
    must("send", nng_sendmsg(socket, make(size < (int) strlen(text) ? strlen(text) : (size_t) size, text), 0));
  }
  rest();
}

static void pull(nng_socket socket) {
  for (;;) {
    nng_msg *msg = recv_msg(socket);
    print_body(msg);
    nng_msg_free(msg);
  }
}

// pair1, bus COUNT SIZE: says that often what it has to say, and prints what it hears.
static void talk(nng_socket socket, int count, int size) {
  char text[64];
  for (int n = 0; n < count; n++) {
    snprintf(text, sizeof(text), "%d", n);
    must("send", nng_sendmsg(socket, make(size < (int) strlen(text) ? strlen(text) : (size_t) size, text), 0));
  }
  pull(socket);
}

// poly: each message goes back to where it came from.
static void echo(nng_socket socket) {
  for (;;) {
    nng_msg *msg = recv_msg(socket);
    print_body(msg);
    must("send", nng_sendmsg(socket, msg, 0));
  }
}

// pub COUNT SIZE, with a header of two words when it is raw.
static void pub(nng_socket socket, int count, int size, int raw) {
  char text[64];
  for (int n = 0; n < count; n++) {
    snprintf(text, sizeof(text), size == 0 ? "" : "%d", n);
    nng_msg *msg = make(size < (int) strlen(text) ? strlen(text) : (size_t) size, text);
    if (raw) must("header", nng_msg_header_append(msg, "one-two-", 8));
    must("publish", nng_sendmsg(socket, msg, 0));
  }
  rest();
}

struct hearer {
  int number;
  nng_ctx ctx;
  nng_aio *aio;
};

static nng_mtx *printing;

static void heard(void *arg) {
  struct hearer *hearer = arg;
  must("ctx recv", nng_aio_result(hearer->aio));
  nng_msg *msg = nng_aio_get_msg(hearer->aio);
  nng_mtx_lock(printing);
  printf("%d: ", hearer->number);
  print_body(msg);
  nng_mtx_unlock(printing);
  nng_msg_free(msg);
  nng_ctx_recv(hearer->ctx, hearer->aio);
}

// sub TOPICS...: a context for each, which prints its number and what it hears.
static void sub(nng_socket socket, int count, char **topics) {
  struct hearer *hearers = calloc(count, sizeof(*hearers));
  must("mutex", nng_mtx_alloc(&printing));
  for (int i = 0; i < count; i++) {
    hearers[i].number = i;
    must("ctx", nng_ctx_open(&hearers[i].ctx, socket));
    must("subscribe", nng_ctx_set(hearers[i].ctx, NNG_OPT_SUB_SUBSCRIBE, topics[i], strlen(topics[i])));
    must("aio", nng_aio_alloc(&hearers[i].aio, heard, &hearers[i]));
    nng_ctx_recv(hearers[i].ctx, hearers[i].aio);
  }
  printf("ready\n");
  rest();
}

// raw-rep, raw-respondent, raw-relay (a bus) TTL ANSWERS: the headers as they come. It answers with what it got, or not at all.
static void raw_rep(nng_socket socket, int ttl, int answers) {
  if (ttl > 0) must("ttl", nng_socket_set_int(socket, NNG_OPT_MAXTTL, ttl));
  for (;;) {
    nng_msg *msg = recv_msg(socket);
    print_header(msg);
    if (answers) must("send", nng_sendmsg(socket, msg, 0));
    else nng_msg_free(msg);
  }
}

// raw-pair1, raw-bus, raw-req, raw-surveyor WORDS...: a message for each, whose header is these words in hexadecimal; prints what comes.
static void raw_req(nng_socket socket, int count, char **words) {
  for (int n = 0; n < count; n++) {
    char text[64];
    snprintf(text, sizeof(text), "%d", n);
    nng_msg *msg = make(strlen(text), text);
    for (const char *word = words[n]; *word != 0; word += 8) {
      char digits[9] = { 0 };
      memcpy(digits, word, 8);
      must("header", nng_msg_header_append_u32(msg, (uint32_t) strtoul(digits, NULL, 16)));
    }
    must("send", nng_sendmsg(socket, msg, 0));
  }
  for (;;) {
    nng_msg *msg = recv_msg(socket);
    print_header(msg);
    nng_msg_free(msg);
  }
}

// device WORKERS: what asks at its own URL is answered by those at this one, which it dials.
static void device(const char *role, const char *url, const char *workers) {
  nng_socket front, back;
  must("open", nng_rep0_open_raw(&front));
  must("open", nng_req0_open_raw(&back));
  connect_(back, "dial", workers);
  connect_(front, role, url);
  must("device", nng_device(front, back));
}

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IONBF, 0);
  if (argc < 4) {
    fprintf(stderr, "peer MODE dial|listen URL [ARGUMENT...]\n");
    return 2;
  }
  const char *mode = argv[1];
  char **arg = argv + 4;
  if (strcmp(mode, "device") == 0) {
    device(argv[2], argv[3], arg[0]);
    return 0;
  }
  nng_socket socket;
  int raw = strncmp(mode, "raw-", 4) == 0;
  const char *protocol = raw ? mode + 4 : mode;
  int relays = strcmp(protocol, "relay") == 0;
  int bus = relays || strcmp(protocol, "bus") == 0;
  if (strcmp(protocol, "rep") == 0) must("open", raw ? nng_rep0_open_raw(&socket) : nng_rep0_open(&socket));
  else if (strcmp(protocol, "req") == 0) must("open", raw ? nng_req0_open_raw(&socket) : nng_req0_open(&socket));
  else if (strcmp(protocol, "push") == 0) must("open", nng_push0_open(&socket));
  else if (strcmp(protocol, "pull") == 0) must("open", nng_pull0_open(&socket));
  else if (strcmp(protocol, "pub") == 0) must("open", raw ? nng_pub0_open_raw(&socket) : nng_pub0_open(&socket));
  else if (strcmp(protocol, "sub") == 0) must("open", raw ? nng_sub0_open_raw(&socket) : nng_sub0_open(&socket));
  else if (strcmp(protocol, "surveyor") == 0) {
    must("open", raw ? nng_surveyor0_open_raw(&socket) : nng_surveyor0_open(&socket));
    if (!raw) must("survey time", nng_socket_set_ms(socket, NNG_OPT_SURVEYOR_SURVEYTIME, 60000));
  } else if (strcmp(protocol, "respondent") == 0) {
    must("open", raw ? nng_respondent0_open_raw(&socket) : nng_respondent0_open(&socket));
  } else if (strcmp(protocol, "pair1") == 0) {
    must("open", raw ? nng_pair1_open_raw(&socket) : nng_pair1_open(&socket));
  } else if (strcmp(protocol, "poly") == 0) must("open", nng_pair1_open_poly(&socket));
  else if (bus) must("open", raw ? nng_bus0_open_raw(&socket) : nng_bus0_open(&socket));
  else must(mode, NNG_ENOTSUP);
  if (bus || strcmp(protocol, "pub") == 0) must("queue", nng_socket_set_int(socket, NNG_OPT_SENDBUF, 8192));
  if (bus || strcmp(protocol, "sub") == 0) must("queue", nng_socket_set_int(socket, NNG_OPT_RECVBUF, 8192));
  if (pipe(arrivals) != 0) return 1;
  must("notify", nng_pipe_notify(socket, NNG_PIPE_EV_ADD_POST, arrived, NULL));
  must("limit", nng_socket_set_size(socket, NNG_OPT_RECVMAXSZ, 0));
  connect_(socket, argv[2], argv[3]);
  int answers = relays || strcmp(protocol, "rep") == 0 || strcmp(protocol, "respondent") == 0;
  int asks = strcmp(protocol, "req") == 0 || strcmp(protocol, "surveyor") == 0;
  if (asks || (bus && !relays) || strcmp(protocol, "pub") == 0) await_peer();
  if (strcmp(protocol, "pub") == 0) pub(socket, number(arg[0]), number(arg[1]), raw);
  else if (raw && strcmp(protocol, "sub") == 0) pull(socket);
  else if (strcmp(protocol, "sub") == 0) sub(socket, argc - 4, arg);
  else if (raw && answers) raw_rep(socket, number(arg[0]), number(arg[1]));
  else if (raw) raw_req(socket, argc - 4, arg);
  else if (answers) rep(socket, number(arg[0]));
  else if (asks) req(socket, number(arg[0]), number(arg[1]), number(arg[2]));
  else if (strcmp(protocol, "poly") == 0) echo(socket);
  else if (bus || strcmp(protocol, "pair1") == 0) talk(socket, number(arg[0]), number(arg[1]));
  else if (strcmp(protocol, "push") == 0) push(socket, number(arg[0]), number(arg[1]));
  else pull(socket);
  return 0;
}
