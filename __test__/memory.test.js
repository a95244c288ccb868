'use strict'

const { once } = require('node:events')
const fs = require('node:fs')
const http = require('node:http')
const https = require('node:https')
const os = require('node:os')
const path = require('node:path')
const { authority, issue } = require('./support/certificates')
const { child } = require('./support/process')
const { atEnd, closeAll } = require('./support/world')

afterEach(closeAll)

const SECRETS = ['First-Zq7hunter2xK-of-the-file', 'Second-Zq8hunter3xL-of-the-file']
const token = (number) => `${'Tk9rotor4xZ'.repeat(8)}-${number}`

/** A token endpoint that grants a token of ours to everybody. */
async function endpoint(certificate) {
  let last = 0
  const serve = (request, response) => {
    request.resume().on('end', () => {
      last += 1
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ access_token: token(last), expires_in: 3600 }))
    })
  }
  const server = certificate ? https.createServer(certificate, serve) : http.createServer(serve)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  atEnd(() => new Promise((resolve) => server.close(resolve)))
  const url = `${certificate ? 'https' : 'http'}://127.0.0.1:${server.address().port}/token`
  return { url, tokens: () => Array.from({ length: last }, (_, index) => token(index + 1)) }
}

/** How often each text stands in the memory of a process that it may write to. */
function countIn(pid, texts) {
  const counts = Object.fromEntries(Object.keys(texts).map((name) => [name, 0]))
  const needles = Object.entries(texts).map(([name, text]) => [name, Buffer.from(text)])
  const memory = fs.openSync(`/proc/${pid}/mem`, 'r')
  for (const line of fs.readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
    const [, begin, end] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? []
    if (!begin) continue
    const [first, last] = [BigInt(`0x${begin}`), BigInt(`0x${end}`)]
    const bytes = Buffer.alloc(Number(last - first))
    let length
    try {
      length = fs.readSync(memory, bytes, 0, bytes.length, first)
    } catch {
      // A few regions are the kernel's.
      continue
    }
    const region = bytes.subarray(0, length)
    for (const [name, needle] of needles) {
      for (let at = region.indexOf(needle); at >= 0; at = region.indexOf(needle, at + 1)) counts[name] += 1
    }
  }
  fs.closeSync(memory)
  return counts
}

/** Everything that is secret, as it lies in memory. */
function secretsOf(tokens) {
  const entries = SECRETS.flatMap((secret, index) => [
    [`secret ${index + 1}`, secret],
    [`header ${index + 1}`, Buffer.from(`app:${secret}`).toString('base64').slice(0, -4)],
  ])
  return Object.fromEntries([...entries, ...tokens.map((text, index) => [`token ${index + 1}`, text])])
}

// Elsewhere a process cannot read another one's memory like this.
const onLinux = process.platform === 'linux' ? describe : describe.skip

onLinux('after close(), no memory of the process holds', () => {
  test.each([
    ['basic', false],
    ['basic-raw', true],
    ['body', false],
    ['body', true],
  ])('a secret, a header or a token (%s, TLS: %s)', async (clientAuth, isSecure) => {
    const ca = await authority()
    const { url, tokens } = await endpoint(isSecure && (await issue(ca, '127.0.0.1')))
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'oauth-rotor-'))
    atEnd(() => fs.rmSync(directory, { recursive: true }))
    const [file, next] = ['secret', 'next'].map((name) => path.join(directory, name))
    fs.writeFileSync(file, SECRETS[0])
    fs.writeFileSync(next, SECRETS[1])
    const values = { tokenUrl: url, clientAuth, file, next, tls: isSecure ? { ca: ca.cert } : undefined }
    const process = child('forgetting.js', values, { flags: ['--expose-gc'] })
    await process.said('open')
    const texts = secretsOf(tokens())
    // The search finds what is there.
    const held = countIn(process.pid, texts)
    expect(held['secret 2']).toBeGreaterThan(0)
    expect(held[`token ${tokens().length}`]).toBeGreaterThan(0)
    process.tell('close')
    await process.said('closed')
    const none = Object.fromEntries(Object.keys(texts).map((name) => [name, 0]))
    expect(countIn(process.pid, texts)).toEqual(none)
    process.end()
  })
})
