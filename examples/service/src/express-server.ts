import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express, { type ErrorRequestHandler, type Response } from 'express'
import { expressRawBody } from 'oauth-rotor/raw-body'
import type { Listen } from './service'

/** The routes, with Express 5. */
export const listen: Listen = async ({ intake, probes, port, log }) => {
  const app = express()
  app.get('/live', (_, response) => {
    answer(response, probes.live() ? 200 : 503).end()
  })
  app.get('/ready', (_, response) => {
    answer(response, probes.ready() ? 200 : 503).json({ problems: probes.problems() })
  })
  app.get('/metrics', async (_, response) => {
    answer(response, 200)
      .type(probes.contentType)
      .send(await probes.metrics())
  })
  // Before anything else that reads a body: signatures are over the bytes that came.
  app.use(expressRawBody({ limit: 1024 * 1024 }))
  app.post('/genesys', async (request, response) => {
    await intake.genesys(request.rawBody, request.headers)
    answer(response, 200).end()
  })
  app.post('/pagerduty', async (request, response) => {
    await intake.pagerDuty(request.rawBody, request.headers)
    answer(response, 200).end()
  })
  const fail: ErrorRequestHandler = (error, request, response, _next) => {
    // verify() says which status to answer, and so does a body that is too long.
    const status = error.status ?? 500
    log.warn({ path: request.path, status, err: error }, 'not accepted')
    answer(response, status).json({ error: error.code })
  }
  app.use(fail)

  let isClosing = false
  function answer(response: Response, status: number): Response {
    // Otherwise a client that keeps its connection open would never let the server close.
    if (isClosing) response.set('connection', 'close')
    return response.status(status)
  }

  const server = app.listen(port)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      isClosing = true
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
