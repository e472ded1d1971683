/** @internal */
export const usage = `Usage: nngcat PROTOCOL ADDRESS... [FORMAT] [OPTION...] [DATA]

Sends and receives messages of the Scalability Protocols, as libnng's nngcat does. Any beginning of an
option will do that no other option shares; an argument follows after a space, = or :.

PROTOCOL, one of them:
  --req0, --rep0                 ask and answer (--req, --rep)
  --push0, --pull0               hand out and take (--push, --pull)
  --pub0, --sub0                 publish and subscribe (--pub, --sub)
  --surveyor0, --respondent0     ask everybody (--surveyor, --respondent)
  --pair0, --pair1               one to one; --pair is pair1, with --compat pair0
  --bus0                         each to all (--bus)

ADDRESS, at least one:
  --dial URL                     (--connect)
  --listen URL                   (--bind)
  -l, --connect-local PORT       dial tcp://127.0.0.1:PORT
  -L, --bind-local PORT          listen there
  -x, --connect-ipc PATH         dial ipc:///PATH
  -X, --bind-ipc PATH            listen there

FORMAT of what is received, at most one; nothing is shown without:
  --format no|ascii|hex|msgpack|quoted|raw
  -A, --ascii                    other bytes are dots, no line ends
  -Q, --quoted                   a C string on a line
  --hex                          the same, all of it escaped
  --msgpack                      MessagePack bin objects
  --raw                          the bytes

OPTION:
  --subscribe TOPIC              what --sub is to hear; as often as you like
  -C, --count N                  so many messages, or rounds
  -i, --interval TIME            send again and again
  -d, --delay TIME               before the first is sent
  --recv-timeout TIME            stop when none came for so long
  --send-timeout TIME            fail when none could be sent for so long
  -Z, --recv-maxsz BYTES         no longer messages; 0 is no limit
  --async                        dial in the background, until somebody is there
  --compat                       as nanocat: dial in the background, --pair is pair0
  -k, --insecure                 TLS without asking who it is
  --cacert FILE                  whom to trust
  -E, --cert FILE                own certificate
  --key FILE                     its key, if it is not in that file
  -v, --verbose                  say where it is connected
  -q, --silent                   do not
  -h, --help                     this
  -V, --version                  of this tool

DATA to send, at most one:
  -D, --data TEXT
  -F, --file FILE                - is standard input

A TIME is seconds, or has a unit: 250ms, 1.5s, 2m, 1h.

Beyond libnng's tool:
  --json                         all that happens, as one JSON object a line
  --raw-socket                   the headers are shown (--json) and yours
  --header HEX                   the header of what is sent (--raw-socket)
  --completion bash|zsh|fish     a script that completes these options`
