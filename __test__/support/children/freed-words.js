'use strict'

// Gives the native part words whose memory it frees afterwards, and has stamps published meanwhile.

const native = require('../../../lib/native/load')
const { closeAll, manager } = require('../world')

const { tokenUrl } = JSON.parse(process.argv[2])
/**
 * An allocation of that size is given back to the system at once: a store to it ends the process.
 */
const SIZE = 64 * 1024 * 1024
const { attachBlock } = native
const buffers = []

native.attachBlock = (attachment) => {
  const buffer = new ArrayBuffer(SIZE)
  buffers.push(buffer)
  return attachBlock(attachment, new Int32Array(buffer))
}

async function main() {
  let refusal
  try {
    const tokens = manager({ tokenUrl })
    structuredClone(buffers[0], { transfer: buffers })
    global.gc()
    await tokens.ready()
  } catch (error) {
    refusal = error.message
  }
  native.attachBlock = attachBlock
  const token = await manager({ tokenUrl }).getToken()
  await closeAll()
  console.log(JSON.stringify({ refusal, token }))
}

main()
