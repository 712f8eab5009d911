/** Of keyturn, as package.json has it (a test compares): bundles carry no package.json. */
export const VERSION = '0.1.0'
