'use strict'

const errors = require('./lib/errors')
const { genesysCloud, oauth2, pagerDuty } = require('./lib/providers')
const { envFile, secretFile } = require('./lib/sinks')
const { fromDirectory, fromEnv, fromEnvFile, fromFile } = require('./lib/sources')
const { TokenManager } = require('./lib/token-manager')

const {
  RotorError,
  InvalidOptionError,
  InvalidArgumentError,
  OptionsConflictError,
  NativeUnavailableError,
  CredentialUnavailableError,
  TokenUnavailableError,
  LifetimeTooShortError,
  ClosedError,
  CredentialRejectedError,
  MisconfiguredError,
  ThrottledError,
  EndpointError,
  DegradedError,
  CandidateRejectedError,
  CandidateUnverifiedError,
  RotationConflictError,
  RotationTimeoutError,
  NoCandidateError,
  NoCustodyError,
  PersistFailedError,
  NoFleetError,
  RetireBlockedError,
  BodyConsumedError,
  isRotorError,
} = errors

// The shorthand form is what Node reads the names from when this is imported as an ES module.
module.exports = {
  TokenManager,
  genesysCloud,
  pagerDuty,
  oauth2,
  fromEnv,
  fromFile,
  fromDirectory,
  fromEnvFile,
  envFile,
  secretFile,
  RotorError,
  InvalidOptionError,
  InvalidArgumentError,
  OptionsConflictError,
  NativeUnavailableError,
  CredentialUnavailableError,
  TokenUnavailableError,
  LifetimeTooShortError,
  ClosedError,
  CredentialRejectedError,
  MisconfiguredError,
  ThrottledError,
  EndpointError,
  DegradedError,
  CandidateRejectedError,
  CandidateUnverifiedError,
  RotationConflictError,
  RotationTimeoutError,
  NoCandidateError,
  NoCustodyError,
  PersistFailedError,
  NoFleetError,
  RetireBlockedError,
  BodyConsumedError,
  isRotorError,
}
