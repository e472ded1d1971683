import { publishing } from "../publish.js"

export const row = publishing(100, [
  { peer: "libnng", atLeast: 8 },
  { peer: "zeromq.js", atLeast: 5 }
])
