import { createServer } from 'node:http'

import express from 'express'
import Fastify from 'fastify'
import Fastify4 from 'fastify-4'

import { expressRawBody, fastifyRawBody, readRawBody } from 'oauth-rotor/raw-body'
import type { RawBodyOptions, RawBytes } from 'oauth-rotor/raw-body'

// As docs/raw-body.md has its readers do.
declare module 'fastify' {
  interface FastifyRequest {
    rawBody: RawBytes
  }
}
declare module 'fastify-4' {
  interface FastifyRequest {
    rawBody: RawBytes
  }
}

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<_Proof extends true>(): void {}

same<Equal<RawBytes, Buffer>>()

// Every optional may be given as undefined, also under exactOptionalPropertyTypes.
const options: RawBodyOptions = { limit: undefined }

const app = express()
app.use('/webhooks', expressRawBody())
app.post('/webhooks/:name', expressRawBody(options), (request, response) => {
  same<Equal<typeof request.rawBody, Buffer>>()
  response.send(request.params.name)
})
express.Router().use(expressRawBody({ limit: 1 }))

const fastify = Fastify()
void fastify.register(fastifyRawBody(options))
fastify.post('/', async (request) => request.rawBody.length)
const fastify4 = Fastify4()
void fastify4.register(fastifyRawBody())
fastify4.post('/', async (request) => request.rawBody.length)

createServer((request) => {
  const bytes = readRawBody(request, options)
  same<Equal<typeof bytes, Promise<Buffer>>>()
})

// @ts-expect-error a number of bytes
expressRawBody({ limit: '1mb' })
// @ts-expect-error no option of ours
fastifyRawBody({ type: 'application/json' })
// @ts-expect-error the request is missing
void readRawBody({ limit: 1 })
