import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

export interface Moto {
  readonly url: string
  /** A Lambda function that does nothing, whatever it is asked. */
  readonly functionArn: string
  close(): Promise<void>
}

const runs = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The moto_server of PyPI `moto[server]`: KEYTURN_MOTO_SERVER, else on PATH, else in the folder where CI installs servers. */
export function findMoto(): string | undefined {
  const named = process.env.KEYTURN_MOTO_SERVER
  const places = named
    ? [named]
    : [...(process.env.PATH ?? '').split(delimiter).map((dir) => join(dir, 'moto_server')), '.ci/servers/venv/bin/moto_server']
  return places.find(runs)
}

/** Starts moto on a free port. Its Lambda functions run without docker, and do nothing. */
export async function startMoto(file: string): Promise<Moto> {
  const child = spawn(file, ['-H', '127.0.0.1', '-p', '0'], { stdio: ['ignore', 'ignore', 'pipe'] })
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const url = await new Promise<string>((resolve, reject) => {
    let said = ''
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`moto_server ended with ${code}: ${said}`)))
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4000)
      const found = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(said)?.[1]
      if (found) resolve(found)
    })
  })
  return {
    url,
    functionArn: await makeFunction(url),
    close: async () => {
      child.kill()
      await exited
    }
  }
}

const as = (service: string) => ({
  authorization: `AWS4-HMAC-SHA256 Credential=test/20250101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=none`
})

async function post(url: string, headers: Record<string, string>, body: string): Promise<string> {
  const response = await fetch(url, { method: 'POST', headers, body })
  if (!response.ok) throw new Error(`moto answered ${response.status} to ${url}`)
  return response.text()
}

/** moto docs, "Configuring MotoServer": with `use_docker` off a function is not run, and its answer is a constant. */
async function makeFunction(url: string): Promise<string> {
  await post(`${url}/moto-api/config`, {}, JSON.stringify({ lambda: { use_docker: false } }))
  const role = 'Action=CreateRole&Version=2010-05-08&RoleName=rotation&AssumeRolePolicyDocument=%7B%7D'
  await post(`${url}/`, { ...as('iam'), 'content-type': 'application/x-www-form-urlencoded' }, role)
  const emptyZip = Buffer.from([0x50, 0x4b, 5, 6, ...Array<number>(18).fill(0)]).toString('base64')
  const definition = {
    FunctionName: 'rotate',
    Runtime: 'nodejs24.x',
    Role: 'arn:aws:iam::123456789012:role/rotation',
    Handler: 'index.handler',
    Code: { ZipFile: emptyZip }
  }
  const made = await post(`${url}/2015-03-31/functions`, as('lambda'), JSON.stringify(definition))
  return (JSON.parse(made) as { FunctionArn: string }).FunctionArn
}
