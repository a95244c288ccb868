import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, readFile, readdir, rename, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** An event that this service has taken on. */
export interface AcceptedEvent {
  id: string
  /** The bytes that came. They are signed and forwarded as they are. */
  body: Buffer
}

/**
 * Events that are to be delivered, each in a file: a line with the id, then the body. They survive
 * the end of the process and of the machine. Each running instance needs a directory of its own.
 */
export class Outbox {
  readonly #directory: string

  private constructor(directory: string) {
    this.#directory = directory
  }

  static async open(directory: string): Promise<Outbox> {
    await mkdir(join(directory, 'refused'), { recursive: true })
    // What a crash left half written was never accepted.
    const drafts = (await readdir(directory)).filter((name) => name.endsWith('.draft'))
    await Promise.all(drafts.map((name) => unlink(join(directory, name))))
    return new Outbox(directory)
  }

  /** Keeps an event, and returns its name. The same event has the same name, and is kept once. */
  async add({ id, body }: AcceptedEvent): Promise<string> {
    const content = Buffer.concat([Buffer.from(`${JSON.stringify(id)}\n`), body])
    const name = `${createHash('sha256').update(content).digest('hex')}.event`
    const draft = this.#path(`${randomUUID()}.draft`)
    await writeFile(draft, content, { flush: true })
    await rename(draft, this.#path(name))
    await this.#sync()
    return name
  }

  /** The names of all events. */
  async names(): Promise<string[]> {
    return (await readdir(this.#directory)).filter((name) => name.endsWith('.event'))
  }

  /** Undefined if it is not there any more. */
  async read(name: string): Promise<AcceptedEvent | undefined> {
    const content = await readFile(this.#path(name)).catch((error) => {
      if (error.code !== 'ENOENT') throw error
    })
    if (content === undefined) return undefined
    const end = content.indexOf('\n')
    return { id: JSON.parse(content.toString('utf8', 0, end)), body: content.subarray(end + 1) }
  }

  async remove(name: string): Promise<void> {
    await unlink(this.#path(name))
  }

  /** Puts an event aside for a person. To have it tried again, move it back and restart. */
  async refuse(name: string): Promise<void> {
    await rename(this.#path(name), join(this.#directory, 'refused', name))
  }

  #path(name: string): string {
    return join(this.#directory, name)
  }

  /** Only then does the new name survive a power failure. Windows has no such call. */
  async #sync(): Promise<void> {
    if (process.platform === 'win32') return
    const directory = await open(this.#directory)
    await directory.sync().finally(() => directory.close())
  }
}
