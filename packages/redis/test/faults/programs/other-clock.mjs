// Loaded with --import: the wall clock of this process is off by CLOCK_OFF_BY_MS, its monotonic clock is not.
const offByMs = Number(process.env.CLOCK_OFF_BY_MS)
const { now } = Date

globalThis.Date = class extends Date {
  constructor(...args) {
    if (args.length === 0) super(now() + offByMs)
    else super(...args)
  }

  static now() {
    return now() + offByMs
  }
}
