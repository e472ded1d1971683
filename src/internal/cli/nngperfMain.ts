import { nngperfCodes } from "./failure.js"
import { main } from "./main.js"
import { nngperf } from "./nngperf.js"

main((args) => nngperf(process.argv[1] ?? "nngperf", args), nngperfCodes)
