// A PROXY header is incomplete until it is complete or malformed, never reads beyond itself, and names an address only.
#include "gateway/net/proxy_header.h"
#include "tests/fuzz/fuzz.h"

using tidegate::net::parse_proxy_header;
using tidegate::net::proxy_header_bytes_max;
using tidegate::net::ProxyHeader;
using State = ProxyHeader::State;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes = as_text(data, size);
  ProxyHeader whole = parse_proxy_header(bytes);
  if (whole.state == State::incomplete) FUZZ_EXPECT(size < proxy_header_bytes_max);
  if (whole.state != State::complete) return 0;
  FUZZ_EXPECT(whole.size > 0 && whole.size <= size && whole.size <= proxy_header_bytes_max);
  FUZZ_EXPECT(whole.client.find_first_not_of("0123456789abcdef.:[]") == std::string::npos);
  FUZZ_EXPECT(parse_proxy_header(bytes.substr(0, whole.size)).client == whole.client);
  for (size_t n = 0; n < whole.size; ++n)
    FUZZ_EXPECT(parse_proxy_header(bytes.substr(0, n)).state == State::incomplete);
  return 0;
}
