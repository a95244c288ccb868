import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebhookSigner, isRotorError, memorySeen } from 'oauth-rotor'
import { readRawBody } from 'oauth-rotor/raw-body'

export interface Receiver {
  url: string
  /** The events that it took, each once. */
  events: { id: string; body: string; key: string; headers: NodeJS.Dict<string | string[]> }[]
  /** Every answer, in order; a repeat that it dropped is a 200. */
  answers: number[]
  /** From now on only signatures by these keys count. They have labels, and the newest is first. */
  accept(keys: Record<string, string>): void
  close(): Promise<void>
}

/** A receiver as you may run one: it checks the token, then the signature, and takes each id once. */
export async function startReceiver(
  introspectionUrl: string,
  keys: Record<string, string>,
): Promise<Receiver> {
  const seen = memorySeen()
  const events: Receiver['events'] = []
  const answers: number[] = []
  let signer = signerOf(keys)

  const server = createServer(async (request, response) => {
    const status = await receive().catch((error) => {
      if (isRotorError(error) && 'status' in error && error.status !== undefined) return error.status
      throw error
    })
    answers.push(status)
    response.writeHead(status).end()

    async function receive(): Promise<number> {
      const body = await readRawBody(request)
      const authorization = request.headers.authorization ?? ''
      if (!(await fetch(introspectionUrl, { headers: { authorization } })).ok) return 401
      const result = signer.verify(body, request.headers)
      const text = body.toString('utf8')
      const event = JSON.parse(text)
      // The scheme does not sign an id of its own. The one in the body is signed.
      const id = String(event.id ?? event.event.id)
      await signer.handleOnce(
        result,
        seen,
        () => events.push({ id, body: text, key: result.key, headers: request.headers }),
        { id },
      )
      return 200
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks`,
    events,
    answers,
    accept(keys) {
      void signer.close()
      signer = signerOf(keys)
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function signerOf(keys: Record<string, string>): WebhookSigner {
  return new WebhookSigner({
    scheme: 'pagerduty',
    keys: Object.entries(keys).map(([label, key]) => ({ label, key })),
  })
}
