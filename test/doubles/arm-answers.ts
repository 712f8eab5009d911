import type { ProviderAnswer } from './provider-double.ts'

/** learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors, and for Storage’s own
 * learn.microsoft.com/rest/api/storagerp/srp_error_codes_common. */
export const refused = (status: number, code: string, message: string): ProviderAnswer => ({
  status,
  body: { error: { code, message } }
})
