/** The ways in which a text hides in another one; of a PEM, a line of its body. */
export function formsOf(secret: string): readonly string[] {
  const base64 = [0, 1, 2].map((shift) => {
    const text = Buffer.from(`${'x'.repeat(shift)}${secret}`).toString('base64')
    return text.slice(shift === 0 ? 0 : 4, -4)
  })
  const escaped = [encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), secret.replaceAll("'", "''")]
  const forms = [secret, ...escaped, ...base64]
  const line = secret.split('\n')[5]
  return line === undefined ? forms : [...forms, line]
}
