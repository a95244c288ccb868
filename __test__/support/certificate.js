'use strict'

/** A certificate for localhost and 127.0.0.1 that nobody trusts, and its key. Made for tests; valid until 2126. */
module.exports = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgy/Aus7HqJ1mFuehI
NkkAn1I23JARntCUNjEMsn1LSJ2hRANCAARxDKntz37YAMyCwX4JLs1UmAWIPxBe
Kzhucg3/i+irn65jvYvkvjwmn8S0XiesbKy9l2lRVvVNbOhWTLxy4MaJ
-----END PRIVATE KEY-----
`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUTGl6BxyBjfRNOzzkCHECprYEbr4wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNDIyMzYzNloYDzIxMjYxMDMx
MjIzNjM2WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARxDKntz37YAMyCwX4JLs1UmAWIPxBeKzhucg3/i+irn65jvYvkvjwm
n8S0XiesbKy9l2lRVvVNbOhWTLxy4MaJo28wbTAdBgNVHQ4EFgQUyf4h+sU1dVpe
SoykiOwRnuNVuiAwHwYDVR0jBBgwFoAUyf4h+sU1dVpeSoykiOwRnuNVuiAwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIgKerBWpOB9sZflYa50g+0eL5/EPE/JbSx9fiyEMhyz0sCIQC4
ovZvOj+1lJDxfrC/5Ag4Aw8BOrUCTDwqbyU9D2OPDA==
-----END CERTIFICATE-----
`,
}
