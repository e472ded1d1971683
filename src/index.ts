/**
 * Everything but the transports of Node, which are in `effect-nng/NodeTransport`.
 *
 * @since 0.1.0
 */
export * as Address from "./Address.js"
export * as Aio from "./Aio.js"
export * as ByteStream from "./ByteStream.js"
export * as ByteTransport from "./ByteTransport.js"
export * as Dialer from "./Dialer.js"
export * as Duplex from "./Duplex.js"
export * as Entropy from "./Entropy.js"
export * as Errors from "./Errors.js"
export * as InprocTransport from "./InprocTransport.js"
export * as Listener from "./Listener.js"
export * as Message from "./Message.js"
export * as Pair0 from "./Pair0.js"
export * as Pipe from "./Pipe.js"
export * as Protocol from "./Protocol.js"
export * as Pull0 from "./Pull0.js"
export * as Push0 from "./Push0.js"
export * as Rep0 from "./Rep0.js"
export * as Req0 from "./Req0.js"
export * as Socket from "./Socket.js"
export * as SocketContext from "./SocketContext.js"
export * as TestTransport from "./TestTransport.js"
export * as Transport from "./Transport.js"
export * as Turn from "./Turn.js"
export * as Url from "./Url.js"
