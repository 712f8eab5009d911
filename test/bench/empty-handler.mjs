/** What every Lambda function pays: the runtime's own start. */
export const handler = async () => 'done'
