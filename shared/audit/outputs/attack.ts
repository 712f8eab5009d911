/**
 * MITRE ATT&CK techniques that signals name, as version 18.1 of the matrix calls them. Version 19 (April 2026) has split
 * Defense Evasion and calls T1562.008 T1685.002; OCSF's `attack.version` says which is meant.
 */
export const ATTACK_VERSION = '18.1'

export const TECHNIQUES: Readonly<Record<string, string>> = {
  T1078: 'Valid Accounts',
  'T1078.004': 'Cloud Accounts',
  T1098: 'Account Manipulation',
  T1110: 'Brute Force',
  T1485: 'Data Destruction',
  T1550: 'Use Alternate Authentication Material',
  'T1550.001': 'Application Access Token',
  T1552: 'Unsecured Credentials',
  'T1552.005': 'Cloud Instance Metadata API',
  T1555: 'Credentials from Password Stores',
  'T1555.006': 'Cloud Secrets Management Stores',
  T1562: 'Impair Defenses',
  'T1562.008': 'Disable or Modify Cloud Logs'
}

export const techniqueUrl = (technique: string): string => `https://attack.mitre.org/techniques/${technique.replace('.', '/')}/`
