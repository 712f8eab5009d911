import { type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'

/** Runs a program to its end, which is brought forward when the demo ends first. */
export async function runTool(
  command: string,
  args: readonly string[],
  options: SpawnOptions,
  ends: AsyncDisposableStack
): Promise<void> {
  const tool = spawn(command, args, { ...options, stdio: ['ignore', 'ignore', 'pipe'] })
  const said: string[] = []
  tool.stderr?.on('data', (text) => said.push(String(text)))
  const ended = once(tool, 'exit')
  ends.defer(async () => {
    tool.kill('SIGTERM')
    await ended
  })
  const [exit] = await ended
  if (exit !== 0) throw new Error(`${command} ended with ${exit}\n${said.join('')}`)
}
