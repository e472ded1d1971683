import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

const src = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url))

/** Tests of sockets, which run on inproc and on the simulated network; see test/support/inprocOnly.ts. */
const ofSockets = [
  "test/engine/{socket,dialer,listener,pipe,ends,deadlines,laws*}.test.ts",
  "test/protocol/{pair0,pair1,bus0,pubsub,surveyor0,respondent0,req0,rep0}-inproc.test.ts"
]

/** Tests on the simulated network alone that take no real time. */
const simulated = ["test/transport/simulated*.test.ts", "test/simulation/{redial,handshake,waiters}.test.ts"]

export default defineConfig({
  resolve: {
    alias: [
      { find: /^effect-nng$/, replacement: src("index.ts") },
      { find: /^effect-nng\/(.*)$/, replacement: src("$1.ts") }
    ]
  },
  test: {
    projects: [
      { extends: true, test: { name: "unit", include: ["test/**/*.test.ts"], exclude: [...ofSockets, ...simulated] } },
      { extends: true, test: { name: "inproc", include: ofSockets } },
      {
        extends: true,
        test: {
          name: "simulated",
          include: [...ofSockets, ...simulated],
          setupFiles: ["test/support/inprocOnly.ts"],
          env: { NETWORK: "simulated" }
        }
      }
    ],
    setupFiles: ["test/support/setup.ts"],
    // far above what any needs: how busy the machine is decides no test
    testTimeout: 60_000,
    // an error that nobody caught fails the run, whichever test it came from
    dangerouslyIgnoreUnhandledErrors: false
  }
})
