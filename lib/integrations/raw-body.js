'use strict'

const { Readable, finished } = require('node:stream')
const { InvalidArgumentError, RawBodyError, SignatureBodyParsedError } = require('../errors')
const { checkOptions } = require('../options/arguments')
const { describe } = require('../options/values')

const DEFAULT_LIMIT = 1_048_576

const JSON_TYPE = /^\s*application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i

/**
 * Returns middleware for Express that keeps the raw bytes of a body. `raw-body.d.ts` documents it.
 */
function expressRawBody(options) {
  const limit = limitOf(expressRawBody, options)
  const order = 'Mount expressRawBody() before express.json() and other middleware that reads bodies'

  return function rawBody(request, response, next) {
    const keep = (bytes) => {
      request.rawBody = bytes
      // The parsers of Express 4 check this. Without it, they would wait for the bytes.
      request._body = true
      if (request.body === undefined) request.body = parsedJson(request, bytes)
    }
    const refusal = refusalOfEncoding(request)
    if (refusal === undefined)
      bytesOf(request, limit, order)
        .then(keep)
        .then(() => next(), next)
    else next(refusal)
  }
}

/**
 * Returns a plugin for Fastify that keeps the raw bytes of a body. `raw-body.d.ts` documents it.
 */
function fastifyRawBody(options) {
  const limit = limitOf(fastifyRawBody, options)
  const order = 'Register fastifyRawBody() before other plugins that read or replace bodies'

  async function keepRawBody(request, reply, payload) {
    if (Buffer.isBuffer(request.rawBody)) return payload
    const refusal = refusalOfEncoding(request)
    if (refusal !== undefined) throw refusal
    if (payload !== request.raw) throw bodyParsed(order)
    const bytes = await bytesOf(request.raw, limit, order)
    request.rawBody = bytes
    // The parsers read the bytes from here. Fastify 4 would count them only after decoding them as
    // UTF-8.
    const again = Readable.from(bytes, { objectMode: false })
    return Object.assign(again, { receivedEncodedLength: bytes.length })
  }
  async function rawBody(instance) {
    if (!instance.hasRequestDecorator('rawBody')) instance.decorateRequest('rawBody', undefined)
    instance.addHook('preParsing', keepRawBody)
  }
  // Makes the hook apply to the routes beside the plugin, not only to those inside it.
  return Object.assign(rawBody, { [Symbol.for('skip-override')]: true })
}

/** Reads the raw bytes of a request of `node:http`. `raw-body.d.ts` documents it. */
async function readRawBody(request, options) {
  const limit = limitOf(readRawBody, options)
  if (typeof request?.on !== 'function' || typeof request.headers !== 'object') {
    throw new InvalidArgumentError(
      `readRawBody(request) takes a request of node:http, got ${describe(request)}.`,
    )
  }
  return bytesOf(request, limit, 'Call readRawBody() before anything else reads the request')
}

function limitOf(adapter, options) {
  return checkOptions(adapter.name, options, ['limit'], adapter).limit ?? DEFAULT_LIMIT
}

/**
 * Resolves with the bytes of a request as they came. `order` says what to do if they were already
 * read.
 */
function bytesOf(request, limit, order) {
  return new Promise((resolve, reject) => {
    // Another adapter, or a platform such as Google's Cloud Functions, has kept them.
    if (Buffer.isBuffer(request.rawBody)) return resolve(request.rawBody)
    if (request.readableDidRead || request.readableEncoding) return reject(bodyParsed(order))
    if (Number(request.headers['content-length']) > limit) return reject(tooLarge(limit))
    const chunks = []
    let length = 0
    const collect = (chunk) => {
      length += chunk.length
      if (length <= limit) return chunks.push(chunk)
      // The connection stays open, so that the sender can be told. Node.js drops the rest.
      request.off('data', collect).pause()
      reject(tooLarge(limit))
    }
    request.on('data', collect)
    finished(request, { writable: false }, (error) => {
      if (error) reject(aborted())
      else resolve(Buffer.concat(chunks, length))
    })
  })
}

/** Parses a JSON body. Returns undefined if it is empty or of another type. */
function parsedJson({ headers }, bytes) {
  if (bytes.length === 0 || !JSON_TYPE.test(headers['content-type'] ?? '')) return undefined
  try {
    return JSON.parse(bytes)
  } catch {
    throw unreadable(400, 'The body of the request is no JSON, which its content type says it is.')
  }
}

/**
 * Returns the error for a compressed body. Parsing would unpack it before its signature is checked,
 * so that anybody could make it as large as they like.
 */
function refusalOfEncoding({ headers }) {
  if (/^\s*(?:identity\s*)?$/i.test(headers['content-encoding'] ?? '')) return undefined
  return unreadable(415, 'A body with a Content-Encoding is not unpacked before its signature is checked.')
}

function tooLarge(limit) {
  return unreadable(413, `The body of the request is larger than the limit of ${limit} bytes.`)
}

function aborted() {
  return unreadable(400, 'The sender ended the request before its whole body had arrived.')
}

/** Makes an error that Express and Fastify answer with this status. */
function unreadable(status, message) {
  return new RawBodyError(message, { status })
}

function bodyParsed(order) {
  const message = `The body of the request was read before its raw bytes could be kept. ${order}.`
  return new SignatureBodyParsedError(message, { status: 500 })
}

module.exports = { expressRawBody, fastifyRawBody, readRawBody }
