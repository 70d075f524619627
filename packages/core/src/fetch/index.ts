export {
  type AnswerCapture,
  type CaptureOptions,
  captureAnswer,
  type PeekedAnswer,
} from './capture.js'
export { headerPairs } from './header-pairs.js'
export { type FetchRequest, type FetchRequestParts, fetchRequest } from './incoming-request.js'
export { type ReplyOptions, replyResponse } from './reply-response.js'
