'use strict'

require('./share')()
