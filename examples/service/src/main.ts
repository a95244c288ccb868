import { readConfiguration } from './configuration'
import { listen } from './express-server'
import { startService } from './service'

async function main(): Promise<void> {
  const configuration = readConfiguration(process.env)
  const { log } = configuration
  const service = await startService(configuration, listen)
  log.info({ port: service.port }, 'ready')

  const end = async (signal: NodeJS.Signals) => {
    log.info({ signal }, 'ending')
    await service.close()
    log.info('ended')
    process.exit()
  }
  process.once('SIGTERM', end).once('SIGINT', end)
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
