export { type CaptureOptions, captureResponse } from './capture.js'
export { type NodeRequestParts, nodeRequest } from './incoming-request.js'
export { sendReply } from './send-reply.js'
