import { describe } from 'vitest'
import { proveBroken } from './broken-bindings.js'

describe('a binding that is broken in one place is caught', () => proveBroken(2, 3))
