import { createHash } from 'node:crypto'
import { layout } from './layout.js'

/** A script as the server knows it. */
export interface Script {
  readonly lua: string
  readonly sha: string
}

const script = (lua: string): Script => ({
  lua,
  sha: createHash('sha1').update(lua).digest('hex'),
})

const { version, format, headSize, waitedAt, marginAt } = layout

/**
 * Begins every script that writes under a token. Ends it with `gone` where there is no record, with `stale` where it
 * bears another token, with an error where it is no record. Reads the head and the token, not the result.
 */
const owned = `
local head = redis.call('GETRANGE', KEYS[1], 0, ${headSize - 1} + #ARGV[1])
if head == '' then return 'gone' end
if #head < ${headSize} or string.sub(head, 1, 1) ~= '${version}' then
  return redis.error_reply('UNREADABLE what is under the key is no record of version ${version}')
end
local flags, margin, attempt, tokenLength, fingerprintLength = struct.unpack('${format}', head)
if tokenLength ~= #ARGV[1] or string.sub(head, ${headSize + 1}) ~= ARGV[1] then return 'stale' end
local state = string.sub(flags, 2, 2)
local after = string.sub(flags, 3, 3)
`

/**
 * Wakes those who wait, where anybody does. Who may not publish still writes: a lost wake-up costs a later look.
 */
const wake = `
if string.sub(flags, ${waitedAt + 1}, ${waitedAt + 1}) == '1' then
  redis.pcall('PUBLISH', KEYS[1], '')
end
`

/**
 * A write that changes nothing, where an earlier one is only confirmed: so that WAIT, which counts for the last
 * write of its connection, counts for the record also where the first answer was lost with the connection.
 */
const touch = `redis.call('SETRANGE', KEYS[1], 0, '${version}')`

/**
 * Claims the record, or answers with what stands.
 *
 * KEYS[1] the record's key
 * ARGV[1] token
 * ARGV[2] fingerprint
 * ARGV[3] length of the lease in milliseconds
 * ARGV[4] life of the key in milliseconds, not shorter than the lease
 * ARGV[5] `1` to take over what is abandoned or in doubt
 *
 * Answers { attempt, after } or { attempt, after, progress } where it was acquired, else { value, life }: the string
 * as it stands and what is left of its life. The caller refuses a string that cannot be read.
 */
export const acquire = script(`
local value = redis.call('GET', KEYS[1])
local flags, attempt, rest = '${version}in00', 1, ''
if value then
  local life = redis.call('PTTL', KEYS[1])
  if #value < ${headSize} or string.sub(value, 1, 1) ~= '${version}' then return { value, life } end
  local stood, margin, count, tokenLength, fingerprintLength = struct.unpack('${format}', value)
  local fingerprintAt = ${headSize + 1} + tokenLength
  local restAt = fingerprintAt + fingerprintLength
  if string.sub(value, fingerprintAt, restAt - 1) ~= ARGV[2] then return { value, life } end
  local state = string.sub(stood, 2, 2)
  local after = 'f'
  if state == 'i' then
    if string.sub(value, ${headSize + 1}, fingerprintAt - 1) == ARGV[1] then
      ${touch}
      if string.sub(stood, 5, 5) == '0' then return { count, string.sub(stood, 3, 3) } end
      return { count, string.sub(stood, 3, 3), string.sub(value, restAt) }
    end
    if life < 0 or life > margin or ARGV[5] == '0' then return { value, life } end
    after = 'a'
  elseif state == 'd' then
    if ARGV[5] == '0' then return { value, life } end
  elseif state ~= 'f' then
    return { value, life }
  end
  flags = '${version}i' .. after .. string.sub(stood, 4, 5)
  attempt = count + 1
  rest = string.sub(value, restAt)
end
local margin = tonumber(ARGV[4]) - tonumber(ARGV[3])
local head = struct.pack('${format}', flags, margin, attempt, #ARGV[1], #ARGV[2])
redis.call('SET', KEYS[1], head .. ARGV[1] .. ARGV[2] .. rest, 'PX', ARGV[4])
if string.sub(flags, 5, 5) == '0' then return { attempt, string.sub(flags, 3, 3) } end
return { attempt, string.sub(flags, 3, 3), rest }
`)

/**
 * Restarts the lease. The key's life is made longer where the lease is, and never shorter.
 *
 * KEYS[1] the record's key
 * ARGV[1] token
 * ARGV[2] length of the lease in milliseconds
 * ARGV[3] the progress that replaces what there is; left out, that stays
 *
 * Answers `ok`, `stale` or `gone`.
 */
export const renew = script(`
${owned}
if state ~= 'i' then return 'stale' end
local life = redis.call('PTTL', KEYS[1])
local lease = tonumber(ARGV[2])
if lease > life then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  life = lease
end
if ARGV[3] then
  local named = redis.call('GETRANGE', KEYS[1], ${headSize}, ${headSize - 1} + tokenLength + fingerprintLength)
  local marked = string.sub(flags, 1, 4) .. '1'
  local changed = struct.pack('${format}', marked, life - lease, attempt, tokenLength, fingerprintLength)
  redis.call('SET', KEYS[1], changed .. named .. ARGV[3], 'KEEPTTL')
else
  redis.call('SETRANGE', KEYS[1], ${marginAt}, struct.pack('>d', life - lease))
end
return 'ok'
`)

/**
 * Keeps the result, for as long as is said from now.
 *
 * KEYS[1] the record's key
 * ARGV[1] token
 * ARGV[2] result
 * ARGV[3] life of the key in milliseconds
 *
 * Answers `ok`, also to the same call again, `stale` or `gone`.
 */
export const complete = script(`
${owned}
local restAt = ${headSize} + tokenLength + fingerprintLength
if state == 'c' and redis.call('GETRANGE', KEYS[1], restAt, -1) == ARGV[2] then
  ${touch}
  return 'ok'
end
if state ~= 'i' then return 'stale' end
local named = redis.call('GETRANGE', KEYS[1], ${headSize}, restAt - 1)
local completed = struct.pack('${format}', '${version}c' .. after .. '00', 0, attempt, tokenLength, fingerprintLength)
redis.call('SET', KEYS[1], completed .. named .. ARGV[2], 'PX', ARGV[3])
${wake}
return 'ok'
`)

/**
 * Ends the attempt and keeps what the next one needs: fingerprint, attempt and progress.
 *
 * KEYS[1] the record's key
 * ARGV[1] token
 * ARGV[2] the state to leave: `f`, or `d` where it is in doubt
 * ARGV[3] life of the key in milliseconds
 *
 * Answers `ok`, also to the same call again, `stale` or `gone`.
 */
export const fail = script(`
${owned}
if state == ARGV[2] then
  ${touch}
  return 'ok'
end
if state ~= 'i' then return 'stale' end
redis.call('SETRANGE', KEYS[1], 1, ARGV[2] .. after .. '0')
redis.call('PEXPIRE', KEYS[1], ARGV[3])
${wake}
return 'ok'
`)

/**
 * Forgets the record.
 *
 * KEYS[1] the record's key
 * ARGV[1] token
 *
 * Answers `ok`, `stale` or `gone`.
 */
export const release = script(`
${owned}
if state ~= 'i' then return 'stale' end
redis.call('DEL', KEYS[1])
${wake}
return 'ok'
`)

/**
 * What stands.
 *
 * KEYS[1] the record's key
 *
 * Answers { value, life }, or nothing where there is no record. A script, and no GET: the two belong together, and a
 * driver that reads from replicas leaves scripts to the master.
 */
export const read = script(`
local value = redis.call('GET', KEYS[1])
if not value then return false end
return { value, redis.call('PTTL', KEYS[1]) }
`)

/**
 * Asks whoever ends the attempt in flight to publish that on the channel that has the key's name.
 *
 * KEYS[1] the record's key
 *
 * Answers 1, or 0 where nothing is in flight and nothing will be published.
 */
export const announce = script(`
if redis.call('GETRANGE', KEYS[1], 0, 1) ~= '${version}i' then return 0 end
redis.call('SETRANGE', KEYS[1], ${waitedAt}, '1')
return 1
`)
