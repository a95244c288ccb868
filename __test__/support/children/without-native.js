'use strict'

// Uses a copy of the package that has no native part, and prints what comes of it.

const { NativeUnavailableError, TokenManager, genesysCloud, isRotorError } = require(process.argv[2])

const provider = genesysCloud({ region: 'us_east_1' })
try {
  new TokenManager({ provider, credentials: { clientId: 'app', clientSecret: 'hunter2' } })
} catch (error) {
  const { name, code, retryable, message, stack, cause } = error
  const isOurs = isRotorError(error) && error instanceof NativeUnavailableError
  const seen = {
    isOurs,
    name,
    code,
    retryable,
    message,
    stack,
    cause: cause && `${cause.name}: ${cause.message}`,
  }
  console.log(JSON.stringify(seen))
}
