// Any text is a configuration, or gets at least one error; each error names the file and says something.
#include <optional>
#include <string>
#include <vector>

#include "config/load.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace tidegate;

const std::string path = "/etc/tidegate/tidegate.json";

config::Outside outside_with(std::string_view text) {
  config::Outside out;
  out.env = [](std::string_view name) { return std::optional("value of " + std::string(name)); };
  out.read_file = [text](const std::string& file) -> Result<config::FileContent> {
    if (file != path) return fail(ErrorCode::not_found, file + ": No such file or directory");
    return config::FileContent{0640, std::string(text)};
  };
  out.list_folder = [](const std::string& folder) -> Result<std::vector<std::string>> {
    return fail(ErrorCode::not_found, folder + ": No such file or directory");
  };
  out.check_tls = [](const config::ListenerTls&) { return std::vector<config::TlsFinding>(); };
  out.host_name = "box-9";
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto loaded = config::load(path, outside_with(as_text(data, size)));
  if (loaded) return 0;
  FUZZ_EXPECT(config::has_error(loaded.error()));
  for (const config::Problem& problem : loaded.error()) {
    FUZZ_EXPECT(config::render(problem).starts_with(path) && !problem.message.empty());
  }
  return 0;
}
