// Any request gets an answer in HTTP: either the upgrade, or a refusal with its reason.
#include <string>

#include "gateway/net/ws_upgrade.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const tidegate::net::WsOptions options{{"/mqtt"}, {"https://plant.example"}};
  const tidegate::net::WsAnswer answer = tidegate::net::answer_upgrade(as_text(data, size), options);
  FUZZ_EXPECT(answer.response.starts_with(answer.accepted ? "HTTP/1.1 101 " : "HTTP/1.1 4"));
  FUZZ_EXPECT(answer.response.find("\r\n\r\n") != std::string::npos);
  FUZZ_EXPECT(answer.accepted == answer.why.empty());
  return 0;
}
