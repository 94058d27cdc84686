/** The one-way hash of the digest scheme, SHA-1 unless `DigestAuthenticationProvider.digestAlg` says otherwise. */
export interface Digester {
  /** Base64 of the hash. */
  digest(text: string): string;
}
