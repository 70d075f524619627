import { defineConfig } from 'tsup'

/** The one build recipe: ESM, CommonJS and declarations of the entries given. */
export const library = (entry: string[] = ['src/index.ts']) =>
  defineConfig({
    entry,
    format: ['esm', 'cjs'],
    dts: true,
    target: 'node20',
    platform: 'node',
    sourcemap: true,
    clean: true,
    treeshake: true,
    shims: true,
  })
