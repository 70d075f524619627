/** A point at which a shop process kills itself, just there and nowhere else. */
export type Point =
  | 'claim-sent'
  | 'claim-made'
  | 'in-work'
  | 'before-commit'
  | 'commit-sent'
  | 'after-commit'
  | 'before-answer'
  | 'after-answer'

/** Where a process is killed; at `random` from outside, at whatever instant that is. */
export type Place = Point | 'random'

/** In the order in which a request comes by, each with its share of the kills. */
export const places: Readonly<Record<Place, { readonly share: number; readonly where: string }>> = {
  'claim-sent': { share: 1, where: 'in acquire: the claim is sent, nothing has come back' },
  'claim-made': { share: 1, where: 'in acquire: the claim stands, nobody has been told' },
  'in-work': { share: 2, where: 'in the work: the effect is written' },
  'before-commit': { share: 2, where: 'before COMMIT' },
  'commit-sent': { share: 1, where: 'COMMIT is sent, nothing has come back' },
  'after-commit': { share: 1, where: 'after COMMIT: nobody has been told' },
  'before-answer': { share: 1, where: 'after COMMIT: the first byte of the answer would leave' },
  'after-answer': { share: 1, where: 'after the answer' },
  random: { share: 1, where: 'at a random instant' },
}

/** Each place in its share, as often as makes `kills` in all, or a few more. */
export const planOf = (kills: number, among: readonly Place[]): Place[] => {
  const shares = among.flatMap((place) => Array<Place>(places[place].share).fill(place))
  const rounds = Math.ceil(kills / shares.length)
  return Array<Place[]>(rounds).fill(shares).flat()
}
