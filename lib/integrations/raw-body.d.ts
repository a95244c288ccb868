/** A `Buffer`, if the types in use declare it. */
export type RawBytes = typeof globalThis extends {
  Buffer: { isBuffer(value: any): value is infer B extends Uint8Array }
}
  ? B
  : Uint8Array

/** Options of {@link expressRawBody}, {@link fastifyRawBody} and {@link readRawBody}. */
export interface RawBodyOptions {
  /** The largest body, in bytes: 1 to 1,073,741,824. Default: 1,048,576 (1 MiB). */
  limit?: number | undefined
}

/** The part of a request of `node:http` that {@link readRawBody} needs. */
export interface NodeRequest {
  readonly headers: { readonly [name: string]: string | string[] | undefined }
  on(event: string, listener: (...args: any[]) => void): unknown
}

/** Middleware for Express 4 and 5. */
export type ExpressMiddleware = (request: any, response: any, next: (error?: any) => void) => void

/** A plugin for Fastify 4 and 5. */
export type FastifyRawBodyPlugin = (instance: any) => Promise<void>

declare global {
  namespace Express {
    interface Request {
      /** The bytes of the body as they came. Only behind {@link expressRawBody}. */
      rawBody: RawBytes
    }
  }
}

/**
 * Returns middleware for Express 4 and 5 that reads the body of a request:
 *
 * - `request.rawBody` has the bytes as they were sent, for `signer.verify()`,
 * - `request.body` has the parsed JSON if the content type is JSON (`application/json`,
 *   `application/…+json`, as UTF-8). Otherwise it stays as it was.
 *
 * Mount it on the routes of the webhooks, before `express.json()`, which then leaves these requests
 * alone.
 *
 * It passes errors on to `next(error)`. Express answers with their `status`:
 *
 * - `ERR_RAW_BODY`: 413 if the body is larger than `limit`, 415 if it has a `Content-Encoding`, 400
 *   if it is declared as JSON but is not, or did not arrive completely,
 * - `ERR_SIGNATURE_BODY_PARSED`, 500: other middleware has already read the body.
 *
 * @throws {InvalidArgumentError} `ERR_INVALID_ARGUMENT` if an option is wrong or unknown.
 *
 * @example
 * app.post('/webhooks', expressRawBody({ limit: 262_144 }), (request, response) => {
 *   signer.verify(request.rawBody, request.headers)
 *   response.sendStatus(204)
 * })
 */
export function expressRawBody(options?: RawBodyOptions): ExpressMiddleware

/**
 * Returns a plugin for Fastify 4 and 5. It applies to every route of the instance that registers it
 * and of the instances inside it. `request.rawBody` has the bytes as they were sent, for
 * `signer.verify()`. Fastify parses them into `request.body` as always, and still applies its
 * `bodyLimit` and its errors for unknown content types.
 *
 * Requests fail with the errors of {@link expressRawBody}, except for invalid JSON, which Fastify's
 * own parser refuses. Fastify answers with their `status`.
 *
 * @throws {InvalidArgumentError} `ERR_INVALID_ARGUMENT` if an option is wrong or unknown.
 *
 * @example
 * app.register(async (webhooks) => {
 *   webhooks.register(fastifyRawBody({ limit: 262_144 }))
 *   webhooks.post('/webhooks', async (request) => {
 *     signer.verify(request.rawBody, request.headers)
 *     return { ok: true }
 *   })
 * })
 */
export function fastifyRawBody(options?: RawBodyOptions): FastifyRawBodyPlugin

/**
 * Reads the body of a request of `node:http` and resolves with its bytes as they were sent,
 * whatever its content type and `Content-Encoding`. If the request already has a `rawBody`, as on
 * Google's Cloud Functions, it resolves with that.
 *
 * The promise rejects with errors that have the `status` to respond with:
 *
 * - `ERR_RAW_BODY`: 413 if the body is larger than `limit`, 400 if it did not arrive completely,
 * - `ERR_SIGNATURE_BODY_PARSED`, 500: the body has already been read,
 * - `ERR_INVALID_ARGUMENT`: an option is wrong or unknown, or `request` is not one of `node:http`.
 *
 * @example
 * createServer(async (request, response) => {
 *   try {
 *     signer.verify(await readRawBody(request), request.headers)
 *     response.writeHead(204).end()
 *   } catch (error) {
 *     response.writeHead(error.status ?? 500).end()
 *   }
 * })
 */
export function readRawBody(request: NodeRequest, options?: RawBodyOptions): Promise<RawBytes>
