"""Documents to Kela: uploads that go on where they stopped, sendings with their receipts, and Kela's side of it.

`vault` holds content, always encrypted; `uploads` is what the record knows of it; `sending` is the command, `receipts`
what the feed carries, `taking` what Kela's side does. No function here gives content to a route.
"""
