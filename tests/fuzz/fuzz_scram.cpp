// Any two messages: nobody gets in without the proof, and an exchange that has failed stays failed.
#include <string>

#include "gateway/login/scram.h"
#include "tests/fuzz/fuzz.h"

namespace {

// Keys of zeros: no password is known for them.
tidegate::ScramVerifier unprovable(const std::string&) {
  return {4096, "salt", std::string(32, '\0'), std::string(32, '\0')};
}

}  // namespace

// Two messages, a zero byte between them.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input = as_text(data, size);
  const size_t cut = input.find('\0');
  const std::string_view first = input.substr(0, cut);
  const std::string_view last = cut == std::string_view::npos ? std::string_view() : input.substr(cut + 1);
  tidegate::ScramServer server(unprovable, "nonce");
  const auto challenge = server.next(first);
  FUZZ_EXPECT(!challenge || challenge->starts_with("r="));
  const auto answer = server.next(last);
  FUZZ_EXPECT(!answer && !server.is_done());
  FUZZ_EXPECT(!server.next(last));
  (void)tidegate::parse_scram_verifier(input);
  return 0;
}
