// Mosquitto's acl and password files: any text gives rules, users and problems at lines that it has; a user who is put
// in is found, and one who is taken out is gone, whatever stands around.
#include <algorithm>
#include <string>

#include "gateway/access/acl_file.h"
#include "gateway/access/password_file.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace tidegate::access;

constexpr std::string_view name = "somebody";
constexpr std::string_view hash = "$7$101$c2FsdHNhbHRzYWx0$aGFzaA==";

void expect_lines_of(std::string_view text, const std::vector<LineProblem>& problems) {
  const auto lines = static_cast<size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  for (const LineProblem& problem : problems) {
    FUZZ_EXPECT(problem.line >= 1 && problem.line <= lines && !problem.what.empty());
  }
}

bool has_user(std::string_view text) {
  const PasswordFile file = parse_password_file(text);
  return std::any_of(file.users.begin(), file.users.end(), [](const PasswordLine& user) { return user.name == name; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = as_text(data, size);
  expect_lines_of(text, parse_acl_file(text, "acl").problems);
  expect_lines_of(text, parse_password_file(text).problems);
  const std::string with = with_user(text, name, hash);
  FUZZ_EXPECT(has_user(with));
  const auto without = without_user(with, name);
  FUZZ_EXPECT(without && !has_user(*without));
  (void)form_of(text);
  return 0;
}
