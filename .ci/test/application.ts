import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { node, quietly, root } from '../setup/process.mjs'
import { published } from './published.js'

/** The TypeScript that a page prints, block by block. */
export const printed = (page: string): readonly string[] => {
  const text = readFileSync(join(root, page), 'utf8')
  const blocks = [...text.matchAll(/^```ts\r?\n(.*?)^```/gms)].map(([, block]) => block ?? '')
  if (blocks.length > 0) return blocks
  throw new Error(`${page} has no block that begins with \`\`\`ts.`)
}

/** An application's folder: what it would install lies in its node_modules, ours as built. */
export const createApplication = () => {
  const folder = mkdtempSync(join(tmpdir(), 'retrysafe-pages-'))
  const running: ChildProcess[] = []
  const link = (name: string, directory: string) => {
    const place = join(folder, 'node_modules', name)
    mkdirSync(dirname(place), { recursive: true })
    symlinkSync(realpathSync(join(root, directory)), place, 'junction')
  }
  for (const { directory, manifest } of published()) link(manifest.name, directory)
  for (const name of ['express', '@types/express'])
    link(name, `packages/express/node_modules/${name}`)
  for (const name of ['better-sqlite3', 'better-sqlite3-12', '@types/better-sqlite3']) {
    link(name, `packages/sqlite/node_modules/${name}`)
  }
  for (const name of ['koa', '@types/koa', '@koa/router', '@koa/bodyparser'])
    link(name, `packages/koa/node_modules/${name}`)
  link('ioredis', 'packages/redis/node_modules/ioredis')
  for (const name of ['pg', '@types/pg', 'drizzle-orm'])
    link(name, `packages/postgres/node_modules/${name}`)
  for (const name of ['hono', '@hono/node-server']) link(name, `packages/hono/node_modules/${name}`)
  link('@types/node', 'node_modules/@types/node')
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }')

  return {
    /** Compiles programs, by name, as strictly as a user would. */
    async compile(programs: Readonly<Record<string, string>>): Promise<void> {
      const names = Object.keys(programs)
      for (const name of names) writeFileSync(join(folder, `${name}.ts`), programs[name] ?? '')
      const flags =
        '--strict --module nodenext --target es2022 --skipLibCheck --types node --noEmitOnError'
      const args = [...flags.split(' '), ...names.map((name) => `${name}.ts`)]
      const tsc = join(root, 'node_modules/typescript/bin/tsc')
      await quietly('tsc', node(tsc, args, { cwd: folder, capture: true }))
    },
    /** Starts a compiled program and answers the first thing that it prints. */
    async start(name: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
      const driver = new URL('../sqlite-driver.mjs', import.meta.url).href
      const child = spawn(process.execPath, [`--import=${driver}`, `${name}.js`], {
        cwd: folder,
        env: { ...process.env, ...env },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      running.push(child)
      const [text] = await Promise.race([
        once(child.stdout as NodeJS.ReadableStream, 'data'),
        once(child, 'exit').then(([code]) => Promise.reject(new Error(`It ended with ${code}.`))),
      ])
      return String(text).trim()
    },
    async remove(): Promise<void> {
      for (const child of running) {
        if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit')
      }
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
