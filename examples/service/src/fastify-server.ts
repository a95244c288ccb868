import { fastify, type FastifyError } from 'fastify'
import { fastifyRawBody } from 'oauth-rotor/raw-body'
import type { Listen } from './service'

declare module 'fastify' {
  interface FastifyRequest {
    rawBody: Buffer
  }
}

/** The same with Fastify 5: import `listen` from here in main.ts. */
export const listen: Listen = async ({ intake, probes, port, log }) => {
  const app = fastify()
  await app.register(fastifyRawBody({ limit: 1024 * 1024 }))
  app.get('/live', (_, reply) => reply.code(probes.live() ? 200 : 503).send())
  app.get('/ready', (_, reply) =>
    reply.code(probes.ready() ? 200 : 503).send({ problems: probes.problems() }),
  )
  app.get('/metrics', async (_, reply) => reply.type(probes.contentType).send(await probes.metrics()))
  app.post('/genesys', async (request, reply) => {
    await intake.genesys(request.rawBody, request.headers)
    return reply.send()
  })
  app.post('/pagerduty', async (request, reply) => {
    await intake.pagerDuty(request.rawBody, request.headers)
    return reply.send()
  })
  app.setErrorHandler((error: FastifyError & { status?: number }, request, reply) => {
    const status = error.status ?? error.statusCode ?? 500
    log.warn({ path: request.url, status, err: error }, 'not accepted')
    return reply.code(status).send({ error: error.code })
  })
  let isClosing = false
  app.addHook('onSend', async (_, reply) => {
    if (isClosing) reply.header('connection', 'close')
  })

  const url = await app.listen({ port, host: '::' })
  return {
    port: Number(new URL(url).port),
    close: () => {
      isClosing = true
      return app.close()
    },
  }
}
