# Each deployable's environment, from the groups of deploy/deployables.yaml. It makes nothing.

locals {
  file = yamldecode(file(var.file))

  # A null `from` means: the value says itself what it is.
  plain = {
    for name, groups in var.groups : name => {
      for variable, value in merge([for group in groups : local.file.settings[group]]...) : variable => try(
        merge(var.known, var.own[name])[value.from],
        value[var.environment],
        tostring(value),
      )
    }
  }

  secret = {
    for name in keys(var.groups) : name => {
      for id, readers in local.file.secrets : readers[name] => id if contains(keys(readers), name)
    }
  }
}
