"""The light stage's surface as a material of Mitsuba's: a Lambertian base under a GGX coat, added.

Mitsuba's own materials take light from the base under a coat, and Disney's base changes at grazing angles; ours
does neither, so a comparison of light transport with them would measure materials.
"""

from functools import lru_cache
from types import ModuleType

LEAST_ROUGHNESS = 0.08  # as gloss.ggx
LEAST_COSINE = 0.05


def add_coat(mi: ModuleType) -> None:
    """Make "lambert_coat" known to the variant of Mitsuba that is set.

    Properties: base_color, roughness, f0 (reflectance at normal incidence) and normal (bumped, in the surface's frame,
    0.5 added to its half), each a texture; card: a card's normals always face the viewer, a solid's do if its triangle
    does. Mitsuba's own normal maps are black where the bump leans away from the viewer, which is most of a hair card
    seen from the side, and its `twosided` turns the normal of a solid inside out where that leans away: black outlines.
    """
    _registered(mi.variant(), mi)


@lru_cache(maxsize=8)
def _registered(_variant: str, mi: ModuleType) -> None:
    mi.register_bsdf("lambert_coat", _material(mi))


def _material(mi: ModuleType) -> type:
    import drjit as dr

    def cosine(v):
        return mi.Frame3f.cos_theta(v)

    class LambertCoat(mi.BSDF):
        def __init__(self, props):
            mi.BSDF.__init__(self, props)
            self.base, self.f0 = props.get_unbounded_texture("base_color"), props.get_unbounded_texture("f0")
            self.roughness, self.normal = (props.get_unbounded_texture(k) for k in ("roughness", "normal"))
            self.card = props.get("card", False)
            self.m_components = [mi.BSDFFlags.DiffuseReflection | mi.BSDFFlags.GlossyReflection
                                 | mi.BSDFFlags.FrontSide | mi.BSDFFlags.BackSide
                                 | mi.BSDFFlags.SpatiallyVarying]  # fmt: skip
            self.m_flags = self.m_components[0]

        def _frame(self, si, active):
            normal = 2 * self.normal.eval_3(si, active) - 1
            return mi.Frame3f(dr.normalize(mi.Vector3f(normal)))

        def _facets(self, si, active):
            rough = dr.maximum(self.roughness.eval_1(si, active), LEAST_ROUGHNESS)
            return mi.MicrofacetDistribution(mi.MicrofacetType.GGX, rough * rough)

        def _side(self, si):
            """1 where the viewer is on the side that the normals point to, else -1; see gbuffer.facing."""
            outside = dr.dot(si.n, si.to_world(si.wi)) * dr.dot(si.n, si.sh_frame.n)
            return dr.select((cosine(si.wi) if self.card else outside) >= 0, mi.Float(1), mi.Float(-1))

        def _seen_from(self, si, active):
            """The bump's frame, and the viewer in it, kept above its horizon."""
            frame = self._frame(si, active)
            wi = frame.to_local(mi.Vector3f(si.wi.x, si.wi.y, si.wi.z * self._side(si)))
            wi.z = dr.maximum(wi.z, LEAST_COSINE)
            return frame, dr.normalize(wi)

        def _local(self, si, wo, active):
            """Both directions in the bump's frame, the viewer's kept above its horizon; the half vector; who is lit."""
            frame, wi = self._seen_from(si, active)
            wo = mi.Vector3f(wo.x, wo.y, wo.z * self._side(si))
            wo_bent = frame.to_local(wo)
            return wi, wo_bent, dr.normalize(wi + wo_bent), active & (cosine(wo) > 0) & (wo_bent.z > 0)

        def eval(self, ctx, si, wo, active):
            wi, wo, half, active = self._local(si, wo, active)
            facets, f0 = self._facets(si, active), self.f0.eval_1(si, active)
            bent = 1 - dr.clip(dr.dot(wo, half), 0, 1)
            fresnel = f0 + (1 - f0) * bent * bent * bent * bent * bent
            shine = facets.eval(half) * facets.G(wi, wo, half) * fresnel / (4 * wi.z)
            return dr.select(active, self.base.eval(si, active) * (wo.z * dr.inv_pi) + shine, 0)

        def pdf(self, ctx, si, wo, active):
            wi, wo, half, active = self._local(si, wo, active)
            glossy = self._facets(si, active).pdf(wi, half) / (4 * dr.maximum(dr.dot(wo, half), 1e-6))
            return dr.select(active, 0.5 * (wo.z * dr.inv_pi + glossy), 0)

        def eval_pdf(self, ctx, si, wo, active):
            return self.eval(ctx, si, wo, active), self.pdf(ctx, si, wo, active)

        def sample(self, ctx, si, sample1, sample2, active):
            frame, wi = self._seen_from(si, active)
            half, _ = self._facets(si, active).sample(wi, sample2)
            mirrored = 2 * dr.dot(wi, half) * mi.Vector3f(half) - wi
            out = mi.BSDFSample3f()
            even = mi.warp.square_to_cosine_hemisphere(sample2)
            bent = frame.to_world(dr.select(sample1 < 0.5, even, mirrored))
            out.wo = mi.Vector3f(bent.x, bent.y, bent.z * self._side(si))
            out.pdf = self.pdf(ctx, si, out.wo, active)
            out.eta = 1.0
            out.sampled_type, out.sampled_component = +self.m_flags, 0
            active = active & (out.pdf > 0)
            return out, dr.select(active, self.eval(ctx, si, out.wo, active) / dr.maximum(out.pdf, 1e-9), 0)

        def traverse(self, callback):
            for name in ("base", "f0", "roughness", "normal"):
                callback.put(name, getattr(self, name), mi.ParamFlags.Differentiable)

        def to_string(self):
            return "LambertCoat[]"

    return LambertCoat
