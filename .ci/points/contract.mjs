/**
 * The points of the behaviour contract, in its order, with what the suites cannot show: `tests` name those that do
 * (a file, and the name of a test or of a group in it).
 */
export const machine = 'The machine (section 1)'

const sqlite = (file, ...names) => ({ file: `packages/sqlite/test/${file}.test.ts`, names })
const memory = (file, ...names) => ({ file: `packages/memory/test/${file}.test.ts`, names })
const redis = (file, ...names) => ({ file: `packages/redis/test/${file}.test.ts`, names })
const postgres = (file, ...names) => ({ file: `packages/postgres/test/${file}.test.ts`, names })
const core = (file, ...names) => ({ file: `packages/core/test/${file}.test.ts`, names })

export const points = [
  { point: '1', section: 'Key', title: 'A structured String or a bare key, the same key' },
  { point: '2', title: 'Malformed, empty, or on several lines: refused' },
  { point: '3', title: 'Length, format, and where it comes from' },
  { point: '4', title: 'The store sees a hash over namespace, kind, scope and key' },

  { point: '5', section: 'When it applies', title: 'Methods' },
  { point: '6', title: 'Without a key' },
  { point: '7', title: 'Whose key it is' },
  { point: '8', title: 'Options per route, skip, mounted twice' },
  { point: '9', title: 'Its place in the chain, behind time-outs too' },

  { point: '10', section: 'First run', title: 'Claimed before the handler runs' },
  { point: '11', title: 'The lease is renewed, at most for maxRunMs' },
  { point: '12', title: 'Every write carries the token; stale and gone' },
  {
    point: '13',
    title: 'What happens to a key in doubt',
    tests: [core('reconciling', 'is the other’s where the lease is lost while it is found out')],
  },
  { point: '14', title: 'What a handler has, and its say' },
  {
    point: '15',
    title: 'Effects and record in one transaction',
    tests: [
      sqlite('transaction', 'commits the effects and the record together'),
      sqlite('transaction', 'was taken over: the work does not run'),
      sqlite('transaction', 'is tried again without holding the event loop'),
      sqlite('processes', 'leaves neither effect nor result: %s', 'leaves both: after COMMIT'),
      sqlite('source', 'is refused when it is not in WAL, and stays as it was'),
      postgres('transaction', 'does not bar a renewal while it works'),
      postgres('transaction', 'is found out: the record was completed (%s)'),
      postgres('transaction', 'cannot be found out while the transaction is open'),
      postgres('transaction', 'that stands still for longer than its lease is ended by the server'),
    ],
  },

  { point: '16', section: 'Duplicates', title: 'Completed: the same bytes again' },
  { point: '17', title: 'Another request under a used key' },
  {
    point: '18',
    title: 'In flight: told at once, or when the first has ended',
    tests: [
      core('waiting-room', 'is looked at as often for a thousand as for one'),
      sqlite('waiting', 'who waits for a first in another process'),
    ],
  },
  { point: '19', title: 'The same key elsewhere' },
  { point: '20', title: 'A record of one binding is replayed through another' },

  { point: '21', section: 'Fingerprint', title: 'What makes two requests the same' },
  { point: '22', title: 'JSON by its meaning' },
  { point: '23', title: 'Forms, multipart, codings, and what cannot be parsed' },
  { point: '24', title: 'Its settings' },
  { point: '25', title: 'The body stays readable' },

  { point: '26', section: 'What is kept, what is replayed', title: 'Kept, released, failed' },
  { point: '27', title: 'Exceptions reach the error handling unchanged' },
  { point: '28', title: 'Which header fields are replayed' },
  { point: '29', title: 'Durable before the client can know that the answer is complete' },
  { point: '30', title: 'Streams, and every way to write' },
  { point: '31', title: 'What is not kept, and answers that break off' },
  { point: '32', title: 'A body that the client can decode' },
  {
    point: '33',
    title: 'Rebuilt replays, and codecs',
    tests: [
      core('encrypted', 'cannot be read with any bit of it changed'),
      sqlite('codec', 'is refused at construction beside the application’s database'),
    ],
  },

  {
    point: '34',
    section: 'Store',
    title: 'Retention, and purging by itself',
    tests: [sqlite('purging', 'are removed by themselves, in steps', 'keep no process alive')],
  },
  {
    point: '35',
    title: 'A store that is full',
    tests: [
      memory('bounds', 'refuses a new key, and keeps all that it holds', 'a store that evicts'),
    ],
  },
  {
    point: '36',
    title: 'A store that is down',
    tests: [redis('faults/hung', 'is given up in time, and its late claim bars nobody')],
  },
  { point: '37', title: 'A record that cannot be read' },
  {
    point: '38',
    title: "Leases and retention on the store's clock",
    tests: [redis('faults/clocks', 'two processes whose clocks are an hour apart')],
  },
  {
    point: '39',
    title: 'What survives a killed process, power loss, a failover',
    tests: [
      sqlite('durability', 'is synchronous FULL on a new file and on one that is reopened'),
      sqlite('durability', "is synchronous NORMAL with synchronous: 'normal'"),
      sqlite('processes', 'a process that is killed in a transaction'),
      redis('faults/killed', 'a Redis that is killed while a handler runs'),
      redis('faults/failover', 'a cluster whose master is killed between a request and its retry'),
      redis('faults/failover', 'a cluster whose replicas are counted'),
      redis('set-up-warnings', 'of a server that could evict records'),
      redis('set-up-warnings', 'of one that keeps nothing on disk'),
    ],
  },
  {
    point: '40',
    title: 'close() waits, flushes and leaves nothing running',
    tests: [
      core('drain', 'ends by itself once close() has resolved, whatever was going on'),
      sqlite('source', 'stays open when the store closes'),
    ],
  },

  { point: '41', section: 'Errors', title: 'Problem details' },
  { point: '42', title: 'Codes and statuses' },
  {
    point: '43',
    title: 'Logs and events carry hashes of keys',
    tests: [core('codec', 'what errors and events tell')],
  },
  { point: '44', title: 'Nested use' },
  { point: '45', title: 'A wrong option is one clear error at construction' },
]
