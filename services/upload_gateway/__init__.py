"""upload-gateway: takes files in, tells what became of them, hands them out again; serves the page."""
