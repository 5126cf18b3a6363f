using Google.Protobuf;

namespace Handbook.Training.TensorBoard;

/// <summary>
/// TensorBoard's <c>Event</c> message (tensorflow/core/util/event.proto), written field by field: the few that we need do not
/// warrant generated classes.
/// </summary>
internal static class EventRecord
{
    private const int WallTimeField = 1, StepField = 2, FileVersionField = 3, SummaryField = 5, SessionLogField = 7;
    private const int SummaryValueField = 1, TagField = 1, SimpleValueField = 2, StatusField = 1;
    private const int StatusStart = 1;

    /// <summary>The first record of every file.</summary>
    public static byte[] FileVersion(double wallTime) => Message(output =>
    {
        WriteHead(output, wallTime, step: 0);
        output.WriteTag(FileVersionField, WireFormat.WireType.LengthDelimited);
        output.WriteString("brain.Event:2");
    });

    /// <summary>Tells TensorBoard that points of this step and later ones in older files no longer hold.</summary>
    public static byte[] SessionStart(double wallTime, long step)
    {
        var session = Message(output =>
        {
            output.WriteTag(StatusField, WireFormat.WireType.Varint);
            output.WriteEnum(StatusStart);
        });
        return Message(output =>
        {
            WriteHead(output, wallTime, step);
            output.WriteTag(SessionLogField, WireFormat.WireType.LengthDelimited);
            output.WriteBytes(ByteString.CopyFrom(session));
        });
    }

    /// <summary>One number of a curve.</summary>
    public static byte[] Scalar(double wallTime, long step, string tag, float value)
    {
        var entry = Message(output =>
        {
            output.WriteTag(TagField, WireFormat.WireType.LengthDelimited);
            output.WriteString(tag);
            output.WriteTag(SimpleValueField, WireFormat.WireType.Fixed32);
            output.WriteFloat(value);
        });
        var summary = Message(output =>
        {
            output.WriteTag(SummaryValueField, WireFormat.WireType.LengthDelimited);
            output.WriteBytes(ByteString.CopyFrom(entry));
        });
        return Message(output =>
        {
            WriteHead(output, wallTime, step);
            output.WriteTag(SummaryField, WireFormat.WireType.LengthDelimited);
            output.WriteBytes(ByteString.CopyFrom(summary));
        });
    }

    private static void WriteHead(CodedOutputStream output, double wallTime, long step)
    {
        output.WriteTag(WallTimeField, WireFormat.WireType.Fixed64);
        output.WriteDouble(wallTime);
        if (step == 0)
            return;
        output.WriteTag(StepField, WireFormat.WireType.Varint);
        output.WriteInt64(step);
    }

    private static byte[] Message(Action<CodedOutputStream> write)
    {
        using var memory = new MemoryStream();
        using (var output = new CodedOutputStream(memory, leaveOpen: true))
            write(output);
        return memory.ToArray();
    }
}
