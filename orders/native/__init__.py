"""The native API `/api/v1/`: what the dialect has no words for. docs/requests.md."""
