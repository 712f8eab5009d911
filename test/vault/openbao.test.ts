import { findOpenbao } from '../servers/openbao.ts'
import { openbaoClient } from './openbao-suite-client.ts'
import { openbaoIdentities } from './openbao-suite-identities.ts'
import { openbaoSecrets } from './openbao-suite-secrets.ts'

if (findOpenbao() !== undefined) {
  openbaoSecrets()
  openbaoIdentities()
  openbaoClient()
}
