// Who may log in, and who may do what.
#include "config/schema.h"

namespace tidegate::config {

const Section<User>& user_section() {
  static const Section<User> section = [] {
    Section<User> s("access.users[]", "Devices that log in with a user name.");
    s.key("name", &User::name, free_text({1, 256}), Applies::live, "Unique; as the device sends it.").required();
    s.key("password_hash", &User::password_hash, secret(), Applies::live,
          "`$argon2id$...`, made by `tidegate passwd`, `SCRAM-SHA-256$...` (`passwd --scram`), or "
          "Mosquitto's `$7$...` or `$6$...`; never a plain password.")
        .required();
    return s;
  }();
  return section;
}

const Section<AclEntry>& acl_entry_section() {
  using access::Permission;
  static const Section<AclEntry> section = [] {
    Section<AclEntry> s("access.acl[]",
                        "One rule. What no rule allows is refused; deny beats allow; the order has no meaning.");
    s.key("user", &AclEntry::user, free_text({1, 256}), Applies::live,
          "Whom it speaks of; \"*\": everybody, as Mosquitto's pattern lines. Or write anonymous.");
    s.key("anonymous", &AclEntry::anonymous, boolean(), Applies::live,
          "true in place of user: clients without a user name.");
    s.key("access", &AclEntry::access,
          word<Permission>({{"read", Permission::read},
                            {"write", Permission::write},
                            {"readwrite", Permission::readwrite},
                            {"deny", Permission::deny}}),
          Applies::live, "read: subscribe and receive. write: publish.")
        .required();
    s.key("topic", &AclEntry::topic, free_text({1, 65535}), Applies::live,
          "A filter; %u stands for the user name, %c for the client id. # and + at its start do not cover topics that "
          "begin with $.")
        .required();
    return s;
  }();
  return section;
}

const Section<Access>& access_section() {
  static const Section<Access> section = [] {
    Section<Access> s("access",
                      "Who may connect, and do what. Without acl and acl_file, whoever may log in may do everything.");
    s.key("password_file", &Access::password_file, path_text(), Applies::live,
          "Mosquitto's password file, or one made by `tidegate passwd`; read again at a reload.");
    s.key("users", &Access::users, list(object(user_section()), "objects", {0, 10'000}), Applies::live,
          "Devices with a user name, beside those of password_file.");
    s.key("acl_file", &Access::acl_file, path_text(), Applies::live, "Mosquitto's acl file; read again at a reload.");
    s.key("acl", &Access::acl, list(object(acl_entry_section()), "objects", {0, 10'000}), Applies::live,
          "Topic rules, beside those of acl_file.");
    return s;
  }();
  return section;
}

}  // namespace tidegate::config
