// Shared by every kernel: the number of this invocation, counted over all workgroups, and of this workgroup. A launch of
// more than 65 535 workgroups is folded into a second dimension, so the number is rebuilt from both.

fn invocation_number(id: vec3u, groups: vec3u) -> u32 {
  return id.y * groups.x * ${WORKGROUP}u + id.x;
}

fn workgroup_number(group: vec3u, groups: vec3u) -> u32 {
  return group.y * groups.x + group.x;
}
