import { publishing } from "../publish.js"

export const row = publishing(10, [
  { peer: "libnng", atLeast: 4 },
  { peer: "zeromq.js", atLeast: 2.5 }
])
