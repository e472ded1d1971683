import { main } from "./main.js"
import { nngcat } from "./nngcat.js"

main(nngcat)
